import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';

import { useAct } from '@/lib/act.ts';
import { call, inWords } from '@/lib/api.ts';
import { ago, browser, moment } from '@/lib/format.ts';
import { useSignOut } from '@/lib/presence.ts';
import { type Place, placesQuery } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { Skeleton } from '@/ui/skeleton.tsx';

function Row({ place, onEnd, busy }: { place: Place; onEnd: () => void; busy: boolean }) {
  return (
    <li className="flex items-center justify-between gap-4 px-4 py-2.5 sm:px-5">
      <div className="min-w-0">
        <p className="truncate" title={place.agent ?? undefined}>
          {browser(place.agent)}
          {place.current ? (
            <span className="ml-2 rounded bg-accent-soft px-1.5 py-0.5 text-xs font-medium text-accent">
              This one
            </span>
          ) : null}
        </p>
        <p className="text-sm text-muted">
          {place.address ?? 'Unknown address'} ·{' '}
          <time dateTime={place.seen_at} title={moment(place.seen_at)}>
            {ago(place.seen_at)}
          </time>
        </p>
      </div>
      <Button
        size="small"
        kind={place.current ? 'plain' : 'danger'}
        busy={busy}
        onClick={onEnd}
        aria-label={`Sign out ${place.current ? 'here' : `${browser(place.agent)}, ${ago(place.seen_at)}`}`}
      >
        Sign out
      </Button>
    </li>
  );
}

export function Sessions() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const { data: places, error } = useQuery(placesQuery);
  const again = () => queries.invalidateQueries({ queryKey: placesQuery.queryKey });
  const leave = useSignOut(() => void navigate({ to: '/sign-in' }));
  const end = useAct({
    mutationFn: (id: string) => call('DELETE', `/api/v1/session/sessions/${id}`),
    onSettled: again,
  });
  const endOthers = useAct({
    mutationFn: () => call('DELETE', '/api/v1/session/sessions'),
    onSettled: again,
  });
  const failure = error ?? end.error ?? endOthers.error ?? leave.error;
  return (
    <Section
      title="Sessions"
      lead="Where you are signed in. A session ends after seven days without use."
      aside={
        (places?.length ?? 0) > 1 ? (
          <Button
            size="small"
            kind="danger"
            busy={endOthers.isPending}
            onClick={() => endOthers.mutate()}
          >
            Sign out everywhere else
          </Button>
        ) : null
      }
    >
      {failure ? (
        <div className="px-4 pb-4 sm:px-5">
          <Note kind="danger">{inWords(failure)}</Note>
        </div>
      ) : null}
      <ul className="divide-y divide-line border-t border-line">
        {places === undefined ? (
          <li className="px-4 py-3 sm:px-5">
            <Skeleton className="h-9" />
          </li>
        ) : (
          places.map((place) => (
            <Row
              key={place.id}
              place={place}
              busy={
                (end.isPending && end.variables === place.id) || (place.current && leave.isPending)
              }
              onEnd={() => (place.current ? leave.mutate() : end.mutate(place.id))}
            />
          ))
        )}
      </ul>
    </Section>
  );
}
