// A thread that searches. Owns no search: what it is told to do, `search` does.
import { answerPortions } from "../simulation/parallel_search.ts";
import { search } from "./search.ts";

answerPortions(search);
