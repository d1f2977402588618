//! Chores of the repository: what writes committed files.

mod catalog_import;
mod classifier;
mod openapi;
mod providers;
mod router_report;
mod tidy;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// Chores of the repository.
#[derive(Parser)]
#[command(name = "xtask")]
struct Cli {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Writes crates/catalog/data from a folder of catalogue facts
    CatalogImport {
        /// The folder with models.jsonl, endpoints.jsonl, providers.jsonl and so on
        #[arg(long)]
        from: PathBuf,
    },
    /// Prints how the task classifier does on the test half of its labelled prompts
    ClassifierReport,
    /// Writes the task classifier's weights from the training half of its labelled prompts
    TrainClassifier {
        /// Writes nothing; fails if the committed weights are others
        #[arg(long)]
        check: bool,
        /// Cross-validates within the training half instead
        #[arg(long, conflicts_with = "check")]
        cross_validate: bool,
    },
    /// Writes docs/providers.md from the provider files
    Providers,
    /// Prints what openrouter/auto would choose, cost and hit on the test half of the labelled prompts
    RouterReport,
    /// Checks the house rules that no compiler checks
    Tidy,
    /// Writes openapi/public.json from the public API description, as JSON
    Openapi {
        /// The whole description, converted to JSON
        #[arg(long)]
        from: PathBuf,
    },
}

fn main() -> anyhow::Result<()> {
    match Cli::parse().chore {
        Chore::CatalogImport { from } => catalog_import::run(&from, &root()),
        Chore::ClassifierReport => classifier::report(),
        Chore::TrainClassifier { cross_validate: true, .. } => {
            classifier::cross_validate();
            Ok(())
        }
        Chore::TrainClassifier { check, .. } => classifier::train(&root(), check),
        Chore::Providers => providers::run(&root()),
        Chore::RouterReport => router_report::run(),
        Chore::Tidy => tidy::run(&root()),
        Chore::Openapi { from } => openapi::run(&from, &root()),
    }
}

/// The repository's root: this crate lies one below it.
fn root() -> PathBuf {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.pop();
    root
}
