import { SingleBar } from "cli-progress";

interface ProgressBar {
  step: (share: number, rows: number) => void;
  stop: () => void;
}

/** A bar on standard error, if that is a terminal. */
export function showProgress(): ProgressBar {
  if (!process.stderr.isTTY) return { step: () => {}, stop: () => {} };
  const bar = new SingleBar({
    format: "{bar} {percentage}% {rows} rows, {eta_formatted} left",
    hideCursor: true,
  });
  bar.start(1, 0, { rows: 0 });
  return {
    step: (share, rows) => bar.update(share, { rows }),
    stop: () => bar.stop(),
  };
}
