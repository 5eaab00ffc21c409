// Between the threads of a bot that the doctor looks at and the main thread of their process, which alone has a channel to the doctor.

/** Carries {@link BotReport}s. */
export const reportChannel = 'shardctl.doctor';
