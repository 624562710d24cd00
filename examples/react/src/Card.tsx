import { useId, type ReactNode } from "react";

interface CardProps {
  title: string;
  about: string;
  children: ReactNode;
}

export function Card({ title, about, children }: CardProps) {
  const id = useId();
  return (
    <section className="card" aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <p className="about">{about}</p>
      {children}
    </section>
  );
}

interface MadeByProps {
  prediction: { model: string; version: string } | undefined;
  isPending: boolean;
}

/** Which version answered, or that an answer is on its way. */
export function MadeBy({ prediction, isPending }: MadeByProps) {
  if (isPending) return <p className="made-by">Asking…</p>;
  return (
    <p className="made-by">
      {prediction ? `${prediction.model}, version ${prediction.version}` : "\u00a0"}
    </p>
  );
}

/** What went wrong, in words. Errors of single fields stand beside their fields instead. */
export function Problem({ error, retry }: { error: Error | undefined; retry: () => unknown }) {
  if (!error) return null;
  const isOffline = "code" in error && error.code === "network";
  return (
    <div className="problem" role="alert">
      {isOffline ? "The service cannot be reached." : error.message}{" "}
      <button type="button" onClick={() => void retry()}>
        Try again
      </button>
    </div>
  );
}

/** The scores of labels, best first. */
export function Scores({ scores }: { scores: Record<string, number> }) {
  const sorted = Object.entries(scores).sort(([, one], [, other]) => other - one);
  return (
    <ul className="scores">
      {sorted.map(([label, score]) => (
        <li key={label} style={{ "--share": score } as React.CSSProperties}>
          <span>{label}</span> <span>{percent(score)}</span>
        </li>
      ))}
    </ul>
  );
}

export function percent(score: number): string {
  return `${Math.round(score * 100)} %`;
}
