import { usePrediction } from "@nearcast/client/react";
import { useState, type FormEvent } from "react";
import { Card, percent, Problem } from "./Card.tsx";
import { client } from "./nearcast.ts";

function Message({ text }: { text: string }) {
  const { data, error, refetch } = usePrediction(client, "sentiment", text);
  return (
    <li className="message" data-mood={data?.label}>
      <p>{text}</p>
      <small>{data ? `${data.label}, ${percent(data.score)}` : !error && "Asking…"}</small>
      <Problem error={error} retry={refetch} />
    </li>
  );
}

export function Chat() {
  const [messages, setMessages] = useState(["The food was great and the staff were friendly."]);
  const [draft, setDraft] = useState("");

  function send(event: FormEvent) {
    event.preventDefault();
    if (draft.trim() === "") return;
    setMessages([...messages, draft.trim()]);
    setDraft("");
  }

  return (
    <Card title="How does it sound?" about="Each message takes the colour of its mood.">
      <ul className="messages" aria-label="Messages" aria-live="polite">
        {messages.map((text, index) => (
          <Message key={index} text={text} />
        ))}
      </ul>
      <form className="composer" onSubmit={send}>
        <input
          aria-label="Message"
          placeholder="Write a review"
          value={draft}
          onChange={({ target }) => setDraft(target.value)}
        />
        <button type="submit">Send</button>
      </form>
    </Card>
  );
}
