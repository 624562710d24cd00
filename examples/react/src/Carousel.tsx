import { usePrediction } from "@nearcast/client/react";
import { useRef, useState } from "react";
import { Card, MadeBy, Problem } from "./Card.tsx";
import { client } from "./nearcast.ts";

interface Product {
  id: string;
  name: string;
}

/** What is asked about while the basket is empty. */
const BESTSELLER = "85123A";

export function Carousel() {
  const [basket, setBasket] = useState<Product[]>([
    { id: "22697", name: "GREEN REGENCY TEACUP AND SAUCER" },
  ]);
  const basketList = useRef<HTMLUListElement>(null);
  const shelf = useRef<HTMLUListElement>(null);
  const ids = basket.length > 0 ? basket.map(({ id }) => id) : [BESTSELLER];
  const { data, prediction, error, isPending, refetch } = usePrediction(client, "retail", ids, {
    parameters: { top_k: 8 },
    keepPreviousData: true,
    // What goes into the basket leaves the shelf at once.
    optimistic: (now, shown) => shown?.filter(({ id }) => !now.includes(id)),
  });

  // The button that was pressed goes away, so its list takes the focus.
  function add(product: Product) {
    setBasket([...basket, product]);
    shelf.current?.focus();
  }

  function remove(id: string) {
    setBasket(basket.filter((product) => product.id !== id));
    basketList.current?.focus();
  }

  return (
    <Card title="What goes with it?" about="Put something into the basket. The shelf follows.">
      <h3>Basket</h3>
      <ul ref={basketList} tabIndex={-1} className="basket" aria-label="Basket">
        {basket.map(({ id, name }) => (
          <li key={id}>
            <span className="product">{name.toLowerCase()}</span>
            <button
              type="button"
              aria-label={`Remove ${name.toLowerCase()}`}
              onClick={() => remove(id)}
            >
              ×
            </button>
          </li>
        ))}
      </ul>
      <h3>Goes with it</h3>
      <Problem error={error} retry={refetch} />
      <ul
        ref={shelf}
        tabIndex={-1}
        className="carousel"
        aria-label="Goes with it"
        aria-busy={isPending}
      >
        {data?.map(({ id, name }) => (
          <li key={id}>
            <span className="product">{name.toLowerCase()}</span>
            <button
              type="button"
              aria-label={`Add ${name.toLowerCase()}`}
              onClick={() => add({ id, name })}
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
