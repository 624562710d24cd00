import { usePrediction } from "@nearcast/client/react";
import { useState } from "react";
import { Card, MadeBy, Problem } from "./Card.tsx";
import { client } from "./nearcast.ts";

interface Product {
  id: string;
  name: string;
}

export function Carousel() {
  const [basket, setBasket] = useState<Product[]>([
    { id: "22697", name: "GREEN REGENCY TEACUP AND SAUCER" },
  ]);
  const ids = basket.map(({ id }) => id);
  const { data, prediction, error, isPending, refetch } = usePrediction(client, "retail", ids, {
    parameters: { top_k: 8 },
    keepPreviousData: true,
    // What goes into the basket leaves the shelf at once.
    optimistic: (now, shown) => shown?.filter(({ id }) => !now.includes(id)),
  });

  return (
    <Card title="What goes with it?" about="Put something into the basket. The shelf follows.">
      <h3>Basket</h3>
      <ul className="basket" aria-label="Basket">
        {basket.map(({ id, name }) => (
          <li key={id}>
            <span className="product">{name.toLowerCase()}</span>
            <button
              type="button"
              aria-label={`Remove ${name.toLowerCase()}`}
              onClick={() => setBasket(basket.filter((product) => product.id !== id))}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <h3>Goes with it</h3>
      <Problem error={error} retry={refetch} />
      <ul className="carousel" aria-label="Goes with it" aria-busy={isPending}>
        {data?.map(({ id, name }) => (
          <li key={id}>
            <span className="product">{name.toLowerCase()}</span>
            <button
              type="button"
              aria-label={`Add ${name.toLowerCase()}`}
              onClick={() => setBasket([...basket, { id, name }])}
            >
              Add
            </button>
          </li>
        ))}
      </ul>
      <MadeBy prediction={prediction} isPending={isPending} />
    </Card>
  );
}
