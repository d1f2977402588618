//! What the content of a request asks of an endpoint.

use signalbox_catalog::Modality;
use signalbox_core::ApiError;
use signalbox_dialect::openai_chat::survey::Survey;
use signalbox_policy::Content;

use crate::estimate;

pub(super) fn content(survey: &Survey) -> Result<Content, ApiError> {
    let needs = &survey.needs;
    let inputs = [
        (needs.image, Modality::Image),
        (needs.audio, Modality::Audio),
        (needs.file, Modality::File),
        (needs.video, Modality::Video),
    ];
    let mut outputs = Vec::new();
    for name in needs.output_modalities.iter().filter(|name| name.as_str() != "text") {
        let modality = Modality::from_name(name)
            .ok_or_else(|| ApiError::invalid(format!("modalities: unknown modality {name:?}")))?;
        outputs.push(modality);
    }
    Ok(Content {
        parameters: survey.parameters,
        inputs: inputs.into_iter().filter(|(needed, _)| *needed).map(|(_, one)| one).collect(),
        outputs,
        prompt_tokens_at_least: estimate::prompt_at_least(survey),
        prompt_tokens_expected: estimate::prompt_expected(survey),
        max_output: survey.max_output,
    })
}
