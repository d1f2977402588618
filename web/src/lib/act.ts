import { useMutation, type UseMutationOptions } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';

/**
 * A change on the server that is asked for once, however often somebody clicks: a button looks busy
 * only after the page is drawn again, and the second click of two may come before that.
 */
export function useAct<Answer, Wish = void>(options: UseMutationOptions<Answer, Error, Wish>) {
  const running = useRef(false);
  const { mutate: begin, ...act } = useMutation<Answer, Error, Wish>({
    ...options,
    onSettled: (...settled) => {
      running.current = false;
      return options.onSettled?.(...settled);
    },
  });
  const mutate = useCallback(
    (wish: Wish) => {
      if (running.current) return;
      running.current = true;
      begin(wish);
    },
    [begin],
  );
  return { ...act, mutate };
}
