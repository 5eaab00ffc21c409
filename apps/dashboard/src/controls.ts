// What a terminal would act on and a page must not show.

/** Colours and other sequences of terminals, and single controls. */
export const controls = /\p{Cc}\[[0-9;?]*[ -/]*[@-~]|(?!\t)\p{Cc}/gu;
