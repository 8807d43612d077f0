// What went wrong, in the one shape that every part of the console shows: what, what to do, and the thread to follow.
import type { ErrorDetail, NextStep } from "./bodies";

export class Problem extends Error {
  readonly code: string;
  readonly nextStep: NextStep | undefined;
  readonly details: readonly ErrorDetail[];
  readonly correlationId: string | undefined;
  /** Seconds that the API asked us to wait, if it did. */
  readonly retryAfter: number | undefined;

  constructor(error: Omit<ErrorDetail, "code"> & { code: string }, correlationId?: string, retryAfter?: number) {
    super(error.message);
    this.code = error.code;
    this.nextStep = error.nextStep;
    this.details = error.details ?? [];
    this.correlationId = correlationId;
    this.retryAfter = retryAfter;
  }

  /** Whatever was thrown, as a Problem. */
  static of(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    return new Problem({
      code: "unexpected",
      message: thrown instanceof Error ? thrown.message : String(thrown),
      nextStep: { text: "Reload the page; if it happens again, tell support what you did." },
    });
  }

  static unreachable(correlationId: string, isRead: boolean): Problem {
    const text = isRead ? "The console keeps trying; you need not reload." : "Check your connection, then try again.";
    const nextStep = { text };
    return new Problem({ code: "unreachable", message: "The API does not answer.", nextStep }, correlationId);
  }

  static entraUnreachable(correlationId: string): Problem {
    const message = "Microsoft Entra does not answer, so your sign-in could not be renewed.";
    const nextStep = { text: "Check your connection. What you see is read again as soon as Entra answers." };
    return new Problem({ code: "entraUnreachable", message, nextStep }, correlationId);
  }
}
