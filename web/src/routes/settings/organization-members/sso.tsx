import { useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import { useAct } from '@/lib/act.ts';
import { call } from '@/lib/api.ts';
import { moment } from '@/lib/format.ts';
import { at, MEMBERS, type Sso, ssoQuery } from '@/lib/organization.ts';
import { type Context, type Data, nameOf } from '@/lib/session.ts';
import { Button } from '@/ui/button.tsx';
import { Confirm } from '@/ui/confirm.tsx';
import { LINK, Section } from '@/ui/page.tsx';

/** The switch that shows the settings of single sign-on. There is no way back. */
export function Enable({ context, sso }: { context: Context; sso: Sso }) {
  const queries = useQueryClient();
  const [asks, setAsks] = useState(false);
  const organization = context.account_id;
  const enable = useAct({
    mutationFn: () => call<Data<Sso>>('POST', `${at(organization)}/sso/enable`),
    onSuccess: ({ data }) => {
      queries.setQueryData(ssoQuery(organization).queryKey, data);
      setAsks(false);
    },
  });
  return (
    <Section
      title="Single sign-on"
      lead={`People with an address of your domain sign in at your identity provider, and belong to ${nameOf(context)} by that.`}
      aside={
        sso.enabled_at === null ? (
          <Button size="small" kind="primary" onClick={() => setAsks(true)}>
            Enable SSO
          </Button>
        ) : null
      }
    >
      {sso.enabled_at === null ? null : (
        <p className="border-t border-line px-4 py-3 sm:px-5">
          Enabled since {moment(sso.enabled_at)}. Domains and identity providers are under{' '}
          <Link to={MEMBERS} search={{ tab: 'security' }} className={LINK}>
            Security
          </Link>
          .
        </p>
      )}
      {asks ? (
        <Confirm
          title="Enable SSO?"
          yes="Enable SSO"
          kind="primary"
          busy={enable.isPending}
          error={enable.error}
          onYes={() => enable.mutate()}
          onNo={() => setAsks(false)}
        >
          <p>
            This can’t be undone. It only shows a tab more, Security, where you connect domains:
            nobody signs in in another way by it.
          </p>
        </Confirm>
      ) : null}
    </Section>
  );
}
