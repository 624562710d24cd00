// The page of react.slow.test.ts, which bundles it with each version of React and the packed client.
import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { createElement as h, StrictMode, useState, type ReactElement } from "react";
import { createClient } from "../../client/src/index.ts";
import { queryOptions, usePrediction } from "../../client/src/react.ts";

interface Models {
  echo: { input: string; output: string; parameters: object };
}

const client = createClient<Models>(globalThis.location?.origin ?? "http://server.test");

function Typed({ text }: { text: string }): ReactElement {
  const { data, isPending, isPrevious } = usePrediction(client, "echo", text, {
    debounceMs: 300,
    keepPreviousData: true,
  });
  return h(
    "output",
    { id: "typed" },
    [data, isPending && "pending", isPrevious && "previous"].join(),
  );
}

function Pressed(): ReactElement {
  const { data, error, predict } = usePrediction(client, "echo", "plain");
  const [resolved, setResolved] = useState("");
  const press = async () => setResolved((await predict("pressed"))?.outputs ?? "nothing");
  return h(
    "p",
    null,
    h("button", { onClick: () => void press() }, "Press"),
    h("output", { id: "pressed" }, `${data},${error?.message},${resolved}`),
  );
}

function Queried({ text }: { text: string }): ReactElement {
  const { data } = useQuery(queryOptions(client, "echo", text));
  return h("output", { id: "queried" }, data?.outputs);
}

/** Two components that are there until the text is empty. */
export function App(): ReactElement {
  const [text, setText] = useState("first");
  const [queries] = useState(() => new QueryClient());
  return h(
    StrictMode,
    null,
    h(
      QueryClientProvider,
      { client: queries },
      h("input", {
        "aria-label": "Text",
        value: text,
        onChange: (event: { target: { value: string } }) => setText(event.target.value),
      }),
      text && h(Typed, { text }),
      text.startsWith("query") && h(Queried, { text }),
      h(Pressed),
    ),
  );
}
