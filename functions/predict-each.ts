import type { PredictCall } from "./call.ts";
import type { LookUp } from "./features/look-up.ts";
import type { FeatureStatuses } from "./features/status.ts";
import { createPredict, type PathServices, type Prediction } from "./predict.ts";

/** A prediction that tells of each of several inputs where its looked-up features are from. */
export interface EachPrediction extends Omit<Prediction, "features"> {
  /** Of one input, or an array with one for each of several. Absent where the version looks up none. */
  features?: FeatureStatuses | FeatureStatuses[];
}

export type PredictEach = (call: PredictCall) => Promise<EachPrediction>;

/** The predict path for callers that want the statuses of every input. They are long: the usual answer only counts them. */
export function createPredictEach(services: PathServices): PredictEach {
  return async (call) => {
    let each: FeatureStatuses[] | undefined;
    const lookUp: LookUp = async (version, rows, ...asked) => {
      const completed = await (services.lookUp as LookUp)(version, rows, ...asked);
      const { compiled } = version;
      if (compiled.isBatch?.(call.inputs) ?? Array.isArray(call.inputs))
        each = rows.map((_, row) => completed.statuses.of(row));
      return completed;
    };
    const predict = createPredict({ ...services, ...(services.lookUp && { lookUp }) });
    const { features, ...prediction } = await predict(call);
    const own = each ?? (features as FeatureStatuses | undefined);
    return { ...prediction, ...(own && { features: own }) };
  };
}
