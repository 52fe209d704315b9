/** At the end of the help of every command that talks to a running host. */
export const WHICH_HOST = `
Without --url this talks to the host that runs on the data folder, with a token that
the command signs itself. Exit codes: 0 done, 1 your input, 2 wrong usage, 3 the host
cannot be reached or failed.`;
