// The names of the files of a journal, for its writer and its readers.

export const eventsFile = (name: string) => `${name}.events`;
export const outputFile = (name: string) => `${name}.output`;
