/** Memory that many share: nobody's input is kept beyond it. */
export interface Room {
  /** Takes bytes; `false`, and none taken, if there are not so many left. */
  take(bytes: number): boolean;
  giveBack(bytes: number): void;
}

/** @param size bytes in all */
export function createRoom(size: number): Room {
  let left = size;
  return {
    take: (bytes) => {
      if (bytes > left) return false;
      left -= bytes;
      return true;
    },
    giveBack: (bytes) => {
      left += bytes;
    },
  };
}
