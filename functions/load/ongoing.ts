/** The calls that are being answered. Each one begins once and ends once. */
export interface Ongoing {
  begin(): void;
  end(): void;
  /** Whether no call is being answered. */
  isIdle(): boolean;
}

export function createOngoing(): Ongoing {
  let calls = 0;
  return {
    begin: () => void (calls += 1),
    end: () => void (calls -= 1),
    isIdle: () => calls === 0,
  };
}
