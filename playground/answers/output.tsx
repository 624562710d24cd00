import {
  ClassificationView,
  isClassified,
  isRegressed,
  RegressionView,
} from "./classification.tsx";

interface OutputProps {
  task: string;
  output: unknown;
  /** What it is the answer to. */
  input: unknown;
}

/** An answer to one input as people read it. Nothing where only JSON says it. */
export function Output({ output }: OutputProps) {
  if (isClassified(output)) return <ClassificationView output={output} />;
  if (isRegressed(output)) return <RegressionView output={output} />;
  return null;
}
