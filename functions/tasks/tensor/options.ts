import * as z from "zod";
import { stateOption, stateParameters } from "../state/options.ts";

export const tensorOptions = { state: stateOption.optional() };

export const tensorParameters = z.strictObject(stateParameters);

export type TensorParameters = z.output<typeof tensorParameters>;
