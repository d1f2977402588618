import { ShieldCheck } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import { inWords } from '@/lib/api.ts';
import { amountOf, type Decided, INTERVALS, type Interval, type Request } from '@/lib/consent.ts';
import { moment, money } from '@/lib/format.ts';
import { nameOf, type Session } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Choice, Field } from '@/ui/field.tsx';
import { Note } from '@/ui/note.tsx';
import { Sheet } from '@/ui/page.tsx';

/** Dollars that are proposed where the app proposes none. */
const PROPOSED = 10;

const SPAN: Record<Interval, [string, string]> = {
  daily: ['a day', 'every day at 0:00 UTC'],
  weekly: ['a week', 'every Monday at 0:00 UTC'],
  monthly: ['a month', 'on the first of every month at 0:00 UTC'],
};

function Row({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="grid grid-cols-[7.5rem_1fr] gap-3 px-3 py-2">
      <dt className="text-muted">{name}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}

/** Where the person is sent: the host stands out, since it is what tells apps apart. */
function Callback({ url }: { url: string }) {
  const { origin, host } = new URL(url);
  return (
    <span className="font-mono text-sm break-all text-muted">
      {origin.slice(0, origin.length - host.length)}
      <b className="font-bold text-ink">{host}</b>
      {url.slice(origin.length)}
    </span>
  );
}

function Facts({ request, session }: { request: Request; session: Session }) {
  return (
    <dl className="divide-y divide-line rounded-md border border-line text-sm">
      {request.callback_url === null ? (
        <Row name="Sends you">Nowhere: you copy a code</Row>
      ) : (
        <div className="grid gap-0.5 px-3 py-2">
          <dt className="text-muted">Sends you to</dt>
          <dd>
            <Callback url={request.callback_url} />
          </dd>
        </div>
      )}
      <Row name="Paid by">
        {nameOf(session.context)} <span className="text-muted">({session.user.email})</span>
      </Row>
      <Row name="Name of the key">{request.key_label}</Row>
      <Row name="Ends">
        {request.expires_at === null ? 'When you delete it' : moment(request.expires_at)}
      </Row>
    </dl>
  );
}

/** What the person decides of the limit. */
function useLimit(request: Request) {
  const [text, setText] = useState(String(request.limit ?? PROPOSED));
  const [span, setSpan] = useState<Interval | ''>(request.usage_limit_type ?? '');
  const [unlimited, setUnlimited] = useState(false);
  const amount = amountOf(text);
  const inWords = unlimited
    ? 'The app can spend all credit there is.'
    : amount === null
      ? 'An amount in dollars, such as 12.50.'
      : span === ''
        ? `The app can spend ${money(amount)}, then no more.`
        : `The app can spend ${money(amount)} ${SPAN[span][0]}. It begins anew ${SPAN[span][1]}.`;
  const problem = !unlimited && amount === null;
  return { text, setText, span, setSpan, unlimited, setUnlimited, amount, inWords, problem };
}

function Limit({ limit }: { limit: ReturnType<typeof useLimit> }) {
  return (
    <fieldset className="grid gap-2.5">
      <legend className="sr-only">Spending limit</legend>
      <div className="grid grid-cols-2 gap-3">
        <Field
          label="Spending limit"
          prefix="$"
          inputMode="decimal"
          autoComplete="off"
          value={limit.unlimited ? '' : limit.text}
          placeholder={limit.unlimited ? 'none' : undefined}
          disabled={limit.unlimited}
          aria-invalid={limit.problem || undefined}
          aria-describedby="limit-words"
          onChange={(event) => limit.setText(event.target.value)}
        />
        <Choice
          label="Begins anew"
          value={limit.unlimited ? '' : limit.span}
          disabled={limit.unlimited}
          onChange={(event) =>
            limit.setSpan(INTERVALS.find((one) => one === event.target.value) ?? '')
          }
        >
          <option value="">Never</option>
          <option value="daily">Every day</option>
          <option value="weekly">Every week</option>
          <option value="monthly">Every month</option>
        </Choice>
      </div>
      <p
        id="limit-words"
        aria-live="polite"
        className={`text-sm ${limit.problem ? 'text-danger' : limit.unlimited ? 'text-caution' : 'text-muted'}`}
      >
        {limit.inWords}
      </p>
      <label className="flex w-fit items-center gap-2 text-sm">
        <input
          type="checkbox"
          className="size-4 accent-accent"
          checked={limit.unlimited}
          onChange={(event) => limit.setUnlimited(event.target.checked)}
        />
        No limit
      </label>
    </fieldset>
  );
}

/** The one question of the page: does this app get a key, and how much may it spend? */
export function Decision({
  request,
  session,
  busy,
  error,
  onAuthorize,
  onDeny,
}: {
  request: Request;
  session: Session;
  busy: boolean;
  error: unknown;
  onAuthorize: (decided: Decided) => void;
  onDeny: () => void;
}) {
  const limit = useLimit(request);
  const [workspace, setWorkspace] = useState(request.workspace_id);
  const authorize = () => {
    if (limit.problem) return;
    onAuthorize({
      workspace_id: workspace,
      ...(limit.unlimited || limit.amount === null ? {} : { limit: limit.amount }),
      ...(limit.unlimited || limit.span === '' ? {} : { usage_limit_type: limit.span }),
    });
  };
  return (
    <Sheet
      title="Authorization request"
      lead={
        <>
          <b className="font-semibold text-ink">{request.app_title}</b> asks for a key to use models
          at your expense.
        </>
      }
      foot={
        <span className="inline-flex items-center gap-1.5">
          <ShieldCheck aria-hidden className="size-4" />
          The app learns neither your password nor what other keys do.
        </span>
      }
    >
      <Facts request={request} session={session} />
      <form
        className="grid gap-5"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          authorize();
        }}
      >
        <Limit limit={limit} />
        {request.workspaces.length > 1 ? (
          <Choice
            label="Workspace"
            value={workspace}
            hint="Its budgets and guardrails hold for the key."
            onChange={(event) => setWorkspace(event.target.value)}
          >
            {request.workspaces.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </Choice>
        ) : null}
        {error ? <Note kind="danger">{inWords(error)}</Note> : null}
        <div className="grid grid-cols-2 gap-3">
          <Button onClick={onDeny} disabled={busy}>
            Deny
          </Button>
          <Button type="submit" kind="primary" busy={busy} disabled={limit.problem}>
            Authorize
          </Button>
        </div>
      </form>
    </Sheet>
  );
}
