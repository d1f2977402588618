//! Stage 5: the plan, or why there is none.

use signalbox_core::{ApiError, Timestamp};
use signalbox_policy::{HealthBoard, Plan, Requirements, explain};

use crate::world::World;

pub(crate) fn plan(
    request: &Requirements,
    world: &World,
    health: &HealthBoard,
    now: Timestamp,
    dice: u64,
) -> Result<Plan, ApiError> {
    let plan = signalbox_policy::plan(request, &world.catalog, health, now, dice);
    if plan.candidates.is_empty() {
        return Err(explain::nothing_left(request, &plan, &world.catalog));
    }
    Ok(plan)
}
