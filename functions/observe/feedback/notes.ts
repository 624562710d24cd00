/** Short texts by key, for a while. All instances see the same ones, where the platform has a place for them. */
export interface Notes {
  /** Keeps a text, in place of an earlier one. Rejects while the place cannot be reached. */
  put(key: string, text: string, keptSeconds: number): Promise<void>;
  /** Undefined where nothing was kept, or its time is over. */
  get(key: string): Promise<string | undefined>;
  /** Puts `next` in place of `text`. Of several at once, only one does. False where another text is there, or none. */
  replace(key: string, text: string, next: string, keptSeconds: number): Promise<boolean>;
  /** Removes what is kept. False where there was nothing. */
  delete(key: string): Promise<boolean>;
}
