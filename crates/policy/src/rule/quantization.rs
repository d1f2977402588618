//! `provider.quantizations`. `fp4` includes `mxfp4` and `nvfp4`, `fp8` includes `mxfp8`.

use signalbox_catalog::Endpoint;

use super::{Ctx, Detail, Reason};

pub(super) fn judge(ctx: &Ctx<'_>, endpoint: &Endpoint) -> Option<Reason> {
    let allowed = &ctx.request.provider.quantizations;
    let has = endpoint.quantization.name();
    let includes = |name: &String| match name.as_str() {
        "fp4" => matches!(has, "fp4" | "mxfp4" | "nvfp4"),
        "fp8" => matches!(has, "fp8" | "mxfp8"),
        exact => exact == has,
    };
    if allowed.is_empty() || allowed.iter().any(includes) {
        return None;
    }
    Some(Reason::new("quantization", "provider.quantizations", Detail::Quantization))
}
