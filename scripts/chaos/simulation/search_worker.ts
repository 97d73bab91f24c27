// A thread that searches. Owns no search: what it is told to do, `search` does.
import { type Order, search } from "./search.ts";

const thread = self as unknown as {
  onmessage: (message: MessageEvent<Order>) => void;
  postMessage: (answer: unknown) => void;
};

thread.onmessage = async ({ data }) => thread.postMessage(await search(data));
