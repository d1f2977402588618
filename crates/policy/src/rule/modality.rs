//! What besides text goes in and comes out.

use signalbox_catalog::{Endpoint, Modality};

use super::{Ctx, Detail, Reason};

pub(super) fn judge(ctx: &Ctx<'_>, _: &Endpoint) -> Option<Reason> {
    let (model, content) = (&ctx.wanted.model, &ctx.request.content);
    let lacks = |has: &[Modality], needs: &[Modality]| {
        needs.iter().find(|one| !has.contains(one)).map(|one| one.name())
    };
    if let Some(name) = lacks(&model.input_modalities, &content.inputs) {
        return Some(Reason::new("modality", "messages", Detail::Input(name)));
    }
    let name = lacks(&model.output_modalities, &content.outputs)?;
    Some(Reason::new("modality", "modalities", Detail::Output(name)))
}
