//! What besides text goes in and comes out.

use signalbox_catalog::{Endpoint, Modality};

use super::{Ctx, Reason};

pub(super) fn judge(ctx: &Ctx<'_>, _: &Endpoint) -> Option<Reason> {
    let (model, content) = (&ctx.wanted.model, &ctx.request.content);
    let lacks = |has: &[Modality], needs: &[Modality]| {
        needs.iter().find(|one| !has.contains(one)).map(|one| one.name())
    };
    if let Some(name) = lacks(&model.input_modalities, &content.inputs) {
        let detail = format!("{} takes no {name} input", model.id);
        return Some(Reason::new("modality", "messages", detail));
    }
    let name = lacks(&model.output_modalities, &content.outputs)?;
    Some(Reason::new("modality", "modalities", format!("{} gives no {name}", model.id)))
}
