const LONGEST = 5000;

/** A text as it is. Of a long one the beginning: copying gives all of it. */
export function LongText({ text }: { text: string }) {
  const left = text.length - LONGEST;
  return (
    <>
      <pre>{text.slice(0, LONGEST)}</pre>
      {left > 0 && <p>{left} characters more are copied.</p>}
    </>
  );
}
