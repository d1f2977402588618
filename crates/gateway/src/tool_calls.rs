//! Whether the tool calls of an answer were good ones, for the endpoint's statistics (platform spec
//! 15.8). The client has its answer by then.

use signalbox_dialect::openai_chat::finish::FinishReason;
use signalbox_dialect::{Calls, Facts, ReturnedCall};
use signalbox_policy::tool_check::Offered;

use crate::generation::Given;

/// Longest list of tools that is read, in bytes.
const LONGEST_TOOLS: usize = 1024 * 1024;

/// Whether the calls of the answer are worth gathering: the request offers tools.
pub(crate) fn are_possible(given: &Given) -> bool {
    given.resolved.survey.needs.tools
}

/// Whether there is something to judge: only requests count whose answer ended with a tool call.
pub(crate) fn are_judged(given: &Given, facts: &Facts) -> bool {
    are_possible(given) && facts.finish == Some(FinishReason::ToolCalls)
}

/// Whether every call was well-formed; `None` when nobody can tell.
pub(crate) fn verdict(given: &Given, calls: &Calls) -> Option<bool> {
    let tools = given.resolved.document.get("tools")?;
    if tools.len() > LONGEST_TOOLS {
        return None;
    }
    let offered = Offered::read(&serde_json::from_str(tools).ok()?);
    let calls = calls.returned()?;
    let read = |call: &'_ ReturnedCall| (call.name.clone(), call.arguments.clone());
    let calls: Vec<(String, String)> = calls.map(read).collect();
    let verdicts =
        offered.judge(calls.iter().map(|(name, arguments)| (name.as_str(), arguments.as_str())));
    for bad in verdicts.iter().flatten() {
        tracing::debug!(id = %given.id, class = ?bad, "a bad tool call");
    }
    Some(verdicts.iter().all(Option::is_none))
}
