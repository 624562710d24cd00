export function percent(score: number): string {
  return `${Math.round(score * 100)} %`;
}
