import { percent, readable, short } from "../short.ts";
import type { Asked } from "../use-answer.ts";
import { isAnomaly, isClassified, isRegressed } from "./classification.tsx";
import { isRead } from "./texts.tsx";

/** What a screen reader says when an answer has come. */
export function summaryOf({ answer }: Asked): string {
  if (!answer) return "";
  const { outputs, version } = answer;
  const said = `Version ${version} has answered`;
  if (isClassified(outputs)) {
    const { label, score } = outputs;
    return `${said}: ${short(label)}${score === undefined ? "" : `, ${percent(score)}`}`;
  }
  if (isRead(outputs)) return `${said}: ${short(outputs.generated_text)}`;
  if (isAnomaly(outputs)) return `${said}: ${outputs.anomaly ? "unusual" : "usual"}`;
  if (isRegressed(outputs) && outputs.value !== undefined)
    return `${said}: ${readable(outputs.value)} ${short(outputs.unit ?? "")}`;
  return `${said}.`;
}
