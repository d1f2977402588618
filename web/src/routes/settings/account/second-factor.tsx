import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { flushSync } from 'react-dom';

import { useAct } from '@/lib/act.ts';
import { call } from '@/lib/api.ts';
import { sessionQuery, type User } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Copied, Copy } from '@/ui/copy.tsx';
import { Field } from '@/ui/field.tsx';
import { Form } from '@/ui/form.tsx';
import { Note } from '@/ui/note.tsx';
import { Section } from '@/ui/page.tsx';
import { Qr } from '@/ui/qr.tsx';
import { PresentPassword } from './present-password.tsx';

interface Offer {
  secret: string;
  uri: string;
}

const AT = '/api/v1/session/second-factor';

function useAgain() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey, exact: true });
}

/** What comes next, where listeners and keyboards go on. */
function Step({ label, children }: { label: string; children: ReactNode }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => place.current?.focus(), []);
  return (
    <div ref={place} tabIndex={-1} role="group" aria-label={label} className="outline-none">
      {children}
    </div>
  );
}

function Code({ label = 'Code', hint }: { label?: string; hint?: string }) {
  return (
    <Field
      label={label}
      name="code"
      required
      autoComplete="one-time-code"
      autoCapitalize="none"
      spellCheck={false}
      className="font-mono tracking-widest"
      hint={hint}
    />
  );
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  return (
    <Step label="Recovery codes">
      <div className="grid max-w-md gap-4">
        <Note kind="caution">
          These ten codes are shown this once. Each signs you in one time when the device is lost.
          Keep them where you keep papers.
        </Note>
        <ul className="grid gap-x-6 gap-y-1 rounded-md border border-line bg-sunken p-3 font-mono text-sm min-[26rem]:grid-cols-2">
          {codes.map((code) => (
            <li key={code}>{code}</li>
          ))}
        </ul>
        <div className="flex flex-wrap gap-2">
          <Copy text={codes.join('\n')} label="Copy all" />
          <Button size="small" kind="primary" onClick={onDone}>
            I have kept them
          </Button>
        </div>
      </div>
    </Step>
  );
}

function ConfirmOffer({ offer, onCodes }: { offer: Offer; onCodes: (codes: string[]) => void }) {
  const confirm = useAct({
    mutationFn: (code: string) =>
      call<{ data: { recovery_codes: string[] } }>('POST', `${AT}/confirm`, { code }),
    onSuccess: ({ data }) => onCodes(data.recovery_codes),
  });
  return (
    <Step label="Authenticator app">
      <div className="grid gap-5 sm:grid-cols-[auto_1fr]">
        <Qr text={offer.uri} label="The secret as a QR code" />
        <div className="grid content-start gap-4">
          <p className="text-sm text-muted">
            Read this with an authenticator app, or type the secret into it. Then enter the six
            digits that it shows.
          </p>
          <Copied text={offer.secret} />
          <Form
            error={confirm.error}
            onSend={(texts) => confirm.mutate(texts('code').replaceAll(/\s/g, ''))}
          >
            <Code />
            <Button type="submit" kind="primary" busy={confirm.isPending}>
              Turn it on
            </Button>
          </Form>
        </div>
      </div>
    </Step>
  );
}

function Enable({ onDone }: { onDone: () => void }) {
  const again = useAgain();
  const [codes, setCodes] = useState<string[] | null>(null);
  const offer = useAct({
    mutationFn: (password: string) => call<{ data: Offer }>('POST', AT, { password }),
  });
  if (codes !== null) {
    return <RecoveryCodes codes={codes} onDone={() => void again().then(onDone)} />;
  }
  if (offer.data) return <ConfirmOffer offer={offer.data.data} onCodes={setCodes} />;
  return (
    <div className="max-w-md">
      <Form error={offer.error} onSend={(texts) => offer.mutate(texts('password'))}>
        <PresentPassword label="Password" />
        <div className="flex gap-2">
          <Button type="submit" kind="primary" busy={offer.isPending}>
            Continue
          </Button>
          <Button kind="quiet" onClick={onDone}>
            Cancel
          </Button>
        </div>
      </Form>
    </div>
  );
}

function Disable({ onDone }: { onDone: () => void }) {
  const again = useAgain();
  const remove = useAct({
    mutationFn: (wish: { password: string; code: string }) => call('POST', `${AT}/remove`, wish),
    onSuccess: () => again().then(onDone),
  });
  return (
    <div className="max-w-md">
      <Form
        error={remove.error}
        onSend={(texts) =>
          remove.mutate({
            password: texts('password'),
            code: texts('code').replaceAll(/\s/g, ''),
          })
        }
      >
        <Note kind="caution">From then on the password alone signs you in.</Note>
        <PresentPassword label="Password" />
        <Code hint="From the authenticator app, or a recovery code." />
        <div className="flex gap-2">
          <Button type="submit" kind="danger" busy={remove.isPending}>
            Turn it off
          </Button>
          <Button kind="quiet" onClick={onDone}>
            Cancel
          </Button>
        </div>
      </Form>
    </div>
  );
}

function lead(user: User): string {
  if (user.second_factor) return 'On. Signing in takes a code of your authenticator app.';
  const off = 'Off. Anybody with your password can sign in.';
  return user.email_verified ? off : `${off} Verify your e-mail to turn it on.`;
}

export function SecondFactor({ user }: { user: User }) {
  // What was asked for, not what the session says by now: it is on while its codes are still shown.
  const [open, setOpen] = useState<'on' | 'off' | null>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const close = () => {
    flushSync(() => setOpen(null));
    opener.current?.focus();
  };
  return (
    <Section
      title="Second factor"
      lead={lead(user)}
      aside={
        open ? null : (
          <Button
            ref={opener}
            size="small"
            disabled={!user.email_verified}
            onClick={() => setOpen(user.second_factor ? 'off' : 'on')}
          >
            {user.second_factor ? 'Turn it off' : 'Turn it on'}
          </Button>
        )
      }
    >
      {open ? (
        <div className="border-t border-line px-4 py-4 sm:px-5">
          {open === 'off' ? <Disable onDone={close} /> : <Enable onDone={close} />}
        </div>
      ) : null}
    </Section>
  );
}
