/** The last word about an event in its entry: a gateway process gives the interaction a deferred response. */
export const deferredWord = 'defer';
