// Who is let in: bounds of what is in progress, and what a single thread can tell of its own lateness. Time is the test's.
import { beforeEach, describe, expect, it } from 'vitest';
import { Admission, type AdmissionLimits, type ShedReason } from '../../src/server/admission.ts';

let nowMs = 0;
let endTurn: (() => void) | undefined;
let delayMs = 0;
let meanMs = 0;
const told: (readonly [ShedReason, number])[] = [];

beforeEach(() => {
  nowMs = 1_000;
  endTurn = undefined;
  delayMs = 0;
  meanMs = 0;
  told.length = 0;
});

function admissionOf(limits: Partial<AdmissionLimits> = {}): Admission {
  const clock = {
    now: () => nowMs,
    nextTurn(callback: () => void) {
      endTurn = callback;
    },
  };
  const longWork = {
    get delayMs() {
      return delayMs;
    },
    get meanMs() {
      return meanMs;
    },
  };
  return new Admission(
    { maxQueueDelayMs: 100, maxInFlight: 3, maxHeldBytes: 1_000, ...limits },
    clock,
    longWork,
    (reason, shed) => told.push([reason, shed]),
  );
}

/** A turn of the event loop in which requests come in; for each, after how long, and whether it was let in. */
function turn(admission: Admission, ...afterMs: number[]): boolean[] {
  const beganMs = nowMs;
  const admitted = afterMs.map((ms) => {
    nowMs = beganMs + ms;
    return isAdmitted(() => admission.enter());
  });
  endTurn?.();
  endTurn = undefined;
  return admitted;
}

function isAdmitted(enter: () => unknown): boolean {
  try {
    enter();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: 'OVERLOADED' });
    return false;
  }
}

describe('turns of the event loop that are too long', () => {
  it('refuse nothing at first, and then what comes late in a turn', () => {
    const admission = admissionOf();
    expect(turn(admission, 0, 50, 150)).toEqual([true, true, true]);
    expect(turn(admission, 0, 50, 150)).toEqual([true, true, true]);
    expect(turn(admission, 0, 99, 101, 150)).toEqual([true, true, false, false]);
    expect(admission.shed).toEqual({ queue_delay: 2, in_flight: 0, held_bytes: 0 });
  });

  it('refuse nothing more after one turn that was short enough', () => {
    const admission = admissionOf();
    for (let i = 0; i < 3; i++) turn(admission, 0, 150);
    expect(turn(admission, 0, 101)).toEqual([true, false]);
    turn(admission, 0, 20);
    expect(turn(admission, 0, 150)).toEqual([true, true]);
  });

  it('are a pause where there is only one, however long', () => {
    const admission = admissionOf();
    turn(admission, 0, 5_000);
    expect(turn(admission, 0, 150)).toEqual([true, true]);
  });

  it('are pauses where nothing came between them for a while', () => {
    const admission = admissionOf();
    for (let i = 0; i < 5; i++) {
      expect(turn(admission, 0, 500)).toEqual([true, true]);
      nowMs += 1_000;
    }
  });
});

describe('long work', () => {
  it('is refused while what waits has waited too long', () => {
    const admission = admissionOf();
    delayMs = 100;
    expect(isAdmitted(() => admission.enterLongWork())).toBe(true);
    delayMs = 101;
    expect(isAdmitted(() => admission.enterLongWork())).toBe(false);
    expect(isAdmitted(() => admission.enter())).toBe(true);
  });
});

describe('calls that may take long', () => {
  it('are let in while those before them will be done in time, by what such calls have cost lately', () => {
    const admission = admissionOf();
    meanMs = 10;
    const ends = Array.from({ length: 11 }, () => admission.expectLongWork());
    expect(isAdmitted(() => admission.expectLongWork())).toBe(false);
    ends[0]?.();
    ends[0]?.();
    expect(isAdmitted(() => admission.expectLongWork())).toBe(true);
    expect(isAdmitted(() => admission.expectLongWork())).toBe(false);
    meanMs = 1;
    expect(isAdmitted(() => admission.expectLongWork())).toBe(true);
  });

  it('are let in by four, however long they take', () => {
    const admission = admissionOf();
    meanMs = 5_000;
    const admitted = Array.from({ length: 6 }, () => isAdmitted(() => admission.expectLongWork()));
    expect(admitted).toEqual([true, true, true, true, false, false]);
  });
});

describe('what is in progress', () => {
  it('is bounded in number, and lets others in when it ends', () => {
    const admission = admissionOf();
    const releases = [1, 2, 3].map((bytes) => admission.hold(bytes));
    expect([admission.inFlight, admission.heldBytes]).toEqual([3, 6]);
    expect(() => admission.hold(0)).toThrow(expect.objectContaining({ metadata: { limit: 'max-in-flight' } }));
    releases[0]?.();
    releases[0]?.();
    expect([admission.inFlight, admission.heldBytes]).toEqual([2, 5]);
    expect(isAdmitted(() => admission.hold(0))).toBe(true);
  });

  it('is bounded in bytes; one alone may be larger', () => {
    const admission = admissionOf();
    const release = admission.hold(5_000);
    expect(() => admission.hold(1)).toThrow(expect.objectContaining({ metadata: { limit: 'max-held-bytes' } }));
    release();
    admission.hold(999);
    expect(isAdmitted(() => admission.hold(2))).toBe(false);
    expect(isAdmitted(() => admission.hold(1))).toBe(true);
  });
});

it('the log is told of the first refusal, and then once a minute with how many there were', () => {
  const admission = admissionOf({ maxInFlight: 1 });
  admission.hold(1);
  for (let i = 0; i < 5; i++) isAdmitted(() => admission.hold(1));
  nowMs += 60_000;
  for (let i = 0; i < 5; i++) isAdmitted(() => admission.hold(1));
  expect(told).toEqual([
    ['in_flight', 1],
    ['in_flight', 6],
  ]);
});
