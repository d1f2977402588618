//! Makes the task classifier's weights, and says how good they are.

use std::path::Path;

use anyhow::Context;
use signalbox_classifier::labelled::Half;
use signalbox_classifier::report::Report;
use signalbox_classifier::train::{self, HeldOut, Options};
use signalbox_classifier::weights::LANES;
use signalbox_classifier::{LinearClassifier, TaskTag};

/// Where the weights are.
const WEIGHTS: &str = "crates/classifier/data/weights.bin";

/// Trains on the training half and writes the weights, or checks the committed ones against that.
///
/// # Errors
/// The file can't be read or written, or the check finds other weights.
#[expect(clippy::print_stdout, reason = "a chore talks to the person who runs it")]
pub(crate) fn train(root: &Path, check: bool) -> anyhow::Result<()> {
    let file = train::weights_file(&Options::default());
    let path = root.join(WEIGHTS);
    let committed = std::fs::read(&path).with_context(|| path.display().to_string())?;
    if check {
        anyhow::ensure!(committed == file, "{WEIGHTS} is not what training makes");
    } else if committed != file {
        std::fs::write(&path, &file).with_context(|| path.display().to_string())?;
    }
    println!("{WEIGHTS}: {} bytes", file.len());
    Ok(())
}

/// Prints how the committed weights do on the test half.
///
/// # Errors
/// The committed weights don't fit this build.
#[expect(clippy::print_stdout, reason = "a chore talks to the person who runs it")]
pub(crate) fn report() -> anyhow::Result<()> {
    println!("{}", Report::of(&LinearClassifier::embedded()?, Half::Test));
    Ok(())
}

/// Cross-validates within the training half and prints what choices are made by.
#[expect(clippy::print_stdout, reason = "a chore talks to the person who runs it")]
pub(crate) fn cross_validate() {
    let held_out = train::cross_validate(&Options::default(), 5);
    let all = held_out.len().max(1) as f64;
    let found: Vec<(bool, bool, f32)> =
        held_out.iter().filter_map(|one| judge(one.class, &one.probabilities)).collect();
    let before: Vec<(bool, bool, f32)> =
        held_out.iter().filter_map(|one| judge(one.class, one.before_backdrop.as_ref()?)).collect();
    let share = |count: usize| 100.0 * count as f64 / all;
    println!("right tag    {:.1} %", share(found.iter().filter(|(tag, ..)| *tag).count()));
    println!("right group  {:.1} %", share(found.iter().filter(|(_, group, _)| *group).count()));
    let right = before.iter().filter(|(tag, ..)| *tag).count();
    println!("right tag in front of a system text that says nothing: {right} of {}", before.len());
    let surprise = |one: &HeldOut| {
        one.probabilities.get(one.class).map_or(0.0, |likely| -f64::from(likely.max(1e-9)).ln())
    };
    println!("log loss     {:.3}", held_out.iter().map(surprise).sum::<f64>() / all);
    println!("confidence   prompts  right");
    for tenth in 0..10 {
        let from = tenth as f32 / 10.0;
        let within =
            |confidence: f32| confidence >= from && (tenth == 9 || confidence < from + 0.1);
        let bin: Vec<bool> =
            found.iter().filter(|(.., sure)| within(*sure)).map(|(tag, ..)| *tag).collect();
        let right = bin.iter().filter(|right| **right).count();
        println!("{from:.1} and up   {:>6}  {right:>5}", bin.len());
    }
}

/// Whether the likeliest tag and its group are right, and how sure the model is of it.
fn judge(class: usize, classes: &[f32; LANES]) -> Option<(bool, bool, f32)> {
    let best = (0..TaskTag::COUNT).max_by(|a, b| {
        let of = |class: &usize| classes.get(*class).copied().unwrap_or(0.0);
        of(a).total_cmp(&of(b))
    })?;
    let (found, is) = (TaskTag::of_class(best)?, TaskTag::of_class(class)?);
    Some((found == is, found.macro_group() == is.macro_group(), classes.get(best).copied()?))
}
