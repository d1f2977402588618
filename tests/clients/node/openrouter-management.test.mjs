// The OpenRouter SDK as a manager: it checks every answer against its schemas.
import assert from "node:assert/strict";
import test from "node:test";
import { all } from "./dialects.mjs";
import { openrouter, variable } from "./money.mjs";

const manager = () => openrouter(variable("MANAGEMENT_KEY"));
const items = async (pages) => (await all(await pages)).flatMap((page) => page.result.data);
const status = (code) => (error) => {
  assert.equal(error.statusCode, code, String(error));
  return true;
};
const ask = (key) =>
  openrouter(key).chat.send({
    chatRequest: {
      model: "openai-chat/echo",
      messages: [{ role: "user", content: "one two three" }],
    },
  });

test("a key's life", async () => {
  const { apiKeys } = manager();
  const expiresAt = new Date("2999-01-01T00:00:00Z");
  const made = await apiKeys.create({
    requestBody: { name: "SDK", limit: 5, limitReset: "daily", includeByokInLimit: true, expiresAt },
  });
  const { hash } = made.data;
  assert.equal(made.data.limitRemaining, 5);
  assert.equal(made.data.expiresAt.getTime(), expiresAt.getTime());
  await ask(made.key);
  const { data } = await apiKeys.get({ hash });
  assert.ok(data.usage > 0 && data.usageDaily === data.usage);
  const listed = await apiKeys.list({ includeDisabled: true });
  assert.equal(listed.data[0].hash, hash);
  const changed = await apiKeys.update({ hash, requestBody: { name: "off", disabled: true } });
  assert.deepEqual([changed.data.name, changed.data.disabled], ["off", true]);
  await assert.rejects(ask(made.key), status(401));
  assert.equal((await apiKeys.delete({ hash })).deleted, true);
  await assert.rejects(apiKeys.get({ hash }), status(404));
  await assert.rejects(openrouter().apiKeys.list(), status(403));
});

test("a workspace's life", async () => {
  const { workspaces, apiKeys } = manager();
  const made = await workspaces.create({
    createWorkspaceRequest: { name: "From the SDK", slug: "sdk", description: "Trials" },
  });
  const { id } = made.data;
  const [first] = await items(workspaces.list());
  assert.equal(first.slug, "default");
  const changed = await workspaces.update({
    id,
    updateWorkspaceRequest: { defaultProviderSort: "price", description: null },
  });
  assert.deepEqual([changed.data.defaultProviderSort, changed.data.description], ["price", null]);
  const [owner] = await items(workspaces.listMembers({ id: "default" }));
  const people = { userIds: [owner.userId] };
  const added = await workspaces.bulkAddMembers({ id, bulkAddWorkspaceMembersRequest: people });
  assert.deepEqual([added.addedCount, added.data[0].userId], [1, owner.userId]);

  const set = (interval, limitUsd) =>
    workspaces.setBudget({
      workspaceRef: id,
      interval,
      upsertWorkspaceBudgetRequest: { limitUsd, includeByokInBudgets: true },
    });
  assert.equal((await set("monthly", 5)).data.limitUsd, 5);
  await assert.rejects(set("daily", 6), status(400));
  assert.equal((await set("lifetime", 50)).data.resetInterval, null);
  const listed = await workspaces.listBudgets({ workspaceRef: id });
  assert.deepEqual([listed.data.length, listed.includeByokInBudgets], [2, true]);
  const one = await workspaces.getBudget({ workspaceRef: id, interval: "monthly" });
  assert.equal(one.data.workspaceId, id);
  for (const interval of ["monthly", "monthly", "lifetime"]) {
    const gone = await workspaces.deleteBudget({ workspaceRef: id, interval });
    assert.equal(gone.deleted, true);
  }

  const key = await apiKeys.create({ requestBody: { name: "there", workspaceId: id } });
  const there = await apiKeys.list({ workspaceId: id });
  assert.deepEqual(
    there.data.map(({ hash }) => hash),
    [key.data.hash],
  );
  await assert.rejects(workspaces.delete({ id }), status(400));
  await apiKeys.delete({ hash: key.data.hash });
  const removed = await workspaces.bulkRemoveMembers({
    id,
    bulkRemoveWorkspaceMembersRequest: people,
  });
  assert.equal(removed.removedCount, 1);
  assert.equal((await workspaces.delete({ id })).deleted, true);
  await assert.rejects(workspaces.get({ id }), status(404));
});

test("a guardrail's life", async () => {
  const { guardrails, apiKeys, workspaces } = manager();
  const made = await guardrails.create({
    createGuardrailRequest: {
      name: "No numbers",
      limitUsd: 1,
      resetInterval: "weekly",
      contentFilters: [{ pattern: "two", action: "block", label: "TWO" }],
      contentFilterBuiltins: [{ slug: "email", action: "redact" }],
    },
  });
  const { id } = made.data;
  const key = await apiKeys.create({ requestBody: { name: "guarded" } });
  const keys = { keyHashes: [key.data.hash] };
  await ask(key.key);
  const assigned = await guardrails.bulkAssignKeys({ id, bulkAssignKeysRequest: keys });
  assert.equal(assigned.assignedCount, 1);
  await assert.rejects(ask(key.key), status(403));
  const [one] = await items(guardrails.listGuardrailKeyAssignments({ id }));
  assert.deepEqual([one.keyHash, one.keyName], [key.data.hash, "guarded"]);
  assert.equal((await items(guardrails.listKeyAssignments())).length, 1);

  const changed = await guardrails.update({ id, updateGuardrailRequest: { contentFilters: null } });
  assert.equal(changed.data.contentFilters ?? null, null);
  await ask(key.key);
  const removed = await guardrails.bulkUnassignKeys({ id, bulkUnassignKeysRequest: keys });
  assert.equal(removed.unassignedCount, 1);

  const [owner] = await items(workspaces.listMembers({ id: "default" }));
  const members = { memberUserIds: [owner.userId] };
  const joined = await guardrails.bulkAssignMembers({ id, bulkAssignMembersRequest: members });
  assert.equal(joined.assignedCount, 1);
  const [member] = await items(guardrails.listGuardrailMemberAssignments({ id }));
  assert.equal(member.userId, owner.userId);
  assert.equal((await items(guardrails.listMemberAssignments())).length, 1);
  await guardrails.bulkUnassignMembers({ id, bulkUnassignMembersRequest: members });

  assert.ok((await items(guardrails.list())).some((other) => other.id === id));
  assert.equal((await guardrails.delete({ id })).deleted, true);
  await assert.rejects(guardrails.get({ id }), status(404));
  await apiKeys.delete({ hash: key.data.hash });
});

test("a provider key's life", async () => {
  const { byok } = manager();
  const key = "sk-proj-from-the-sdk-0123456789-AbCd";
  const made = await byok.create({
    createBYOKKeyRequest: { provider: "openai", key, name: "SDK", allowedModels: null },
  });
  const { id } = made.data;
  assert.ok(made.data.label.endsWith("...AbCd") && !JSON.stringify(made).includes(key));
  assert.deepEqual([made.data.disabled, made.data.isFallback, made.data.sortOrder], [false, false, 0]);
  const changed = await byok.update({
    id,
    updateBYOKKeyRequest: { isRequired: true, disabled: true, key: `${key}-WxYz` },
  });
  assert.deepEqual([changed.data.isRequired, changed.data.disabled], [true, true]);
  assert.ok(changed.data.label.endsWith("...WxYz"));
  assert.equal((await byok.get({ id })).data.name, "SDK");
  assert.deepEqual(
    (await items(byok.list({ provider: "openai" }))).map((one) => one.id),
    [id],
  );
  const unusable = { provider: "openai", key: "two words" };
  await assert.rejects(byok.create({ createBYOKKeyRequest: unusable }), status(400));
  assert.equal((await byok.delete({ id })).deleted, true);
  await assert.rejects(byok.get({ id }), status(404));
});

test("a preset's life, and the models of a key", async () => {
  const { presets, models } = openrouter();
  const messages = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "one two three" },
  ];
  const model = "openai-chat/echo";
  const made = await presets.createPresetsChatCompletions({
    slug: "sdk",
    chatRequest: { model, temperature: 0.5, messages },
  });
  const { id, designatedVersion } = made.data;
  assert.deepEqual(designatedVersion.config, { model, temperature: 0.5 });
  assert.deepEqual([designatedVersion.version, designatedVersion.systemPrompt], [1, "Be brief."]);
  const second = await presets.createPresetsMessages({
    slug: "sdk",
    messagesRequest: { model, maxTokens: 64, system: "S", messages: [messages[1]] },
  });
  assert.deepEqual([second.data.id, second.data.designatedVersion.version], [id, 2]);
  await presets.createPresetsResponses({
    slug: "sdk",
    responsesRequest: { model, input: "one", instructions: "Be kind." },
  });
  assert.ok((await items(presets.list())).some((one) => one.id === id));
  const versions = await items(presets.listVersions({ slug: "sdk" }));
  assert.deepEqual(
    versions.map(({ version }) => version),
    [1, 2, 3],
  );
  const first = await presets.getVersion({ slug: "sdk", version: "1" });
  assert.equal(first.data.id, designatedVersion.id);
  assert.equal((await presets.get({ slug: "sdk" })).data.designatedVersion.version, 3);
  const answer = await openrouter().chat.send({
    chatRequest: { model: "@preset/sdk", messages: [messages[1]] },
  });
  assert.ok(answer.choices[0].message.content.includes("one two three"));
  await assert.rejects(presets.get({ slug: "nobodys" }), status(404));
  await assert.rejects(manager().presets.list(), status(403));

  const mine = await items(models.listForUser({ bearer: variable("KEY") }));
  assert.ok(mine.some((one) => one.id === model));
});

test("groups of a directory are an organization's", async () => {
  const { scim } = manager();
  await assert.rejects(scim.listGroups(), status(404));
  await assert.rejects(scim.listMappings(), status(404));
  await assert.rejects(
    scim.create({
      createScimGroupMappingRequest: {
        role: "member",
        scimGroupId: "550e8400-e29b-41d4-a716-446655440000",
        workspaceId: "660e8400-e29b-41d4-a716-446655440000",
      },
    }),
    status(404),
  );
});
