/** The work's outcome, or at the deadline (epoch milliseconds) what `late` makes; the work itself goes on then. */
export async function byDeadline<Outcome>(
  work: Promise<Outcome>,
  deadline: number,
  late: () => Error,
): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late()), deadline - Date.now());
  });
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}
