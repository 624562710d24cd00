import { Carousel } from "./Carousel.tsx";
import { Chat } from "./Chat.tsx";
import { DigitReader } from "./DigitReader.tsx";
import { FlowerForm } from "./FlowerForm.tsx";
import { Search } from "./Search.tsx";

export function App() {
  return (
    <main>
      <h1>Five models in one page</h1>
      <p className="lead">Every answer comes from one Nearcast service while you type.</p>
      <div className="cards">
        <FlowerForm />
        <DigitReader />
        <Chat />
        <Carousel />
        <Search />
      </div>
    </main>
  );
}
