//! The keys that secrets are sealed with: where they are, and the one that is made at the first start.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use signalbox_core::Secret;
use signalbox_runtime::entropy;
use signalbox_store::Store;
use signalbox_vault::{Kek, Vault};

use crate::config::{Config, variable};
use crate::exit::Stop;

/// `[secrets]`: each key is `file:PATH` or `env:NAME`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SecretsRow {
    /// What seals; a file beside the database when it is not named.
    key: Option<String>,
    /// What opens too: older keys, and the next one.
    more_keys: Vec<String>,
}

/// The file beside the database, or beside the outbox.
const FILE: &str = "secrets.key";
/// More than any key file has.
const MAX_FILE: u64 = 4096;
/// Who may do what with the file: its owner alone.
const MODE: u32 = 0o600;
/// What nobody but its owner and group may.
const EVERYBODY: u32 = 0o007;

fn parse(owner: &str, text: String) -> Result<Kek, Stop> {
    Kek::parse(&Secret::new(text)).map_err(|problem| Stop::usage(format!("{owner}: {problem}")))
}

/// The key in a file; `None` when there is no file.
fn read(path: &Path) -> Result<Option<Kek>, Stop> {
    let shown = path.display();
    let failed = |error: std::io::Error| Stop::usage(format!("{shown}: {error}"));
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(failed)?,
    };
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    if mode & EVERYBODY != 0 {
        let why = "everybody on this machine can read or change the key for secrets";
        return Err(Stop::usage(format!("{shown}: {why}; chmod 600 it")));
    }
    let mut text = String::new();
    file.take(MAX_FILE).read_to_string(&mut text).map_err(failed)?;
    parse(&shown.to_string(), text).map(Some)
}

/// Makes a file with a new key, unless somebody was faster. It is on the disk, whole, before it has
/// its name: what is sealed with a key that a power cut takes is lost.
fn make(path: &Path) -> Result<(), std::io::Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let draft = path.with_extension(format!("new-{}", std::process::id()));
    drop(std::fs::remove_file(&draft));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&draft)?;
    writeln!(file, "{}", Kek::new(entropy::secret()).written().expose())?;
    file.sync_all()?;
    let named = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    File::open(folder)?.sync_all()?;
    match named {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        named => named,
    }
}

/// A key that the configuration names.
fn named(written: &str, owner: &str) -> Result<Kek, Stop> {
    if let Some(name) = written.strip_prefix("env:") {
        let unset = || Stop::usage(format!("{owner}: the variable {name} is not set"));
        return parse(owner, variable(name).ok_or_else(unset)?);
    }
    let Some(path) = written.strip_prefix("file:") else {
        return Err(Stop::usage(format!("{owner}: file:PATH or env:NAME, never the key itself")));
    };
    let missing = || Stop::usage(format!("{owner}: {path}: there is no such file"));
    read(Path::new(path))?.ok_or_else(missing)
}

fn beside(config: &Config, store: &Store) -> PathBuf {
    let database = store.path();
    let on_server = database.as_os_str().is_empty();
    if on_server { &config.store.outbox } else { database }.with_file_name(FILE)
}

/// The keys as they are. A first one is made only where `make_one` says so and nothing is sealed yet.
async fn vault(config: &Config, store: &Store, make_one: bool) -> Result<Vault, Stop> {
    let more = config.secrets.more_keys.iter();
    let more = more.map(|written| named(written, "secrets.more_keys"));
    let more = more.collect::<Result<Vec<_>, _>>()?;
    if let Some(written) = &config.secrets.key {
        return Ok(Vault::new(named(written, "secrets.key")?, more));
    }
    let path = beside(config, store);
    if let Some(key) = read(&path)? {
        return Ok(Vault::new(key, more));
    }
    let shown = path.display();
    let count = store.secret_count().await.map_err(|error| Stop::failed(error.to_string()))?;
    if count == 0 && !make_one {
        let line = format!("there is no key for secrets yet: the first start makes {shown}");
        return Err(Stop::usage(line));
    }
    if count > 0 {
        let line = format!(
            "{count} stored secrets can't be opened: the key file {shown} is missing; put it back, \
             or name the key in [secrets]"
        );
        return Err(Stop::usage(line));
    }
    make(&path).map_err(|error| Stop::usage(format!("{shown}: {error}")))?;
    tracing::info!(file = %shown, "made the key for secrets; keep a copy apart from the database's");
    let gone = || Stop::usage(format!("{shown}: there is no such file"));
    Ok(Vault::new(read(&path)?.ok_or_else(gone)?, more))
}

/// Lets a process that serves seal and open secrets.
///
/// # Errors
/// No key, a key that others can read, or secrets that no key here opens, with their number.
pub(crate) async fn unlock(config: &Config, store: &Store) -> Result<(), Stop> {
    let vault = vault(config, store, true).await?;
    store.unlock(vault).await.map_err(|error| Stop::usage(error.to_string()))
}

/// The keys that there are, for a command; nothing is made.
pub(crate) async fn keys(config: &Config, store: &Store) -> Result<Vault, Stop> {
    vault(config, store, false).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        assert!(read(&path).unwrap().is_none());
        make(&path).unwrap();
        let first = read(&path).unwrap().unwrap();
        make(&path).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().id(), first.id(), "it stays");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, MODE);
        assert_eq!(folder.path().read_dir().unwrap().count(), 1, "nothing else is left");
    }

    #[test]
    fn a_key_that_everybody_can_read_is_refused_and_not_repeated() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        make(&path).unwrap();
        for open in [0o604, 0o644, 0o602, 0o666] {
            mode(&path, open);
            let stop = read(&path).unwrap_err().to_string();
            assert!(stop.contains("everybody") && stop.contains("chmod 600"), "{stop}");
        }
        for shut in [0o600, 0o400, 0o640] {
            mode(&path, shut);
            assert!(read(&path).unwrap().is_some());
        }
        mode(&path, 0o600);
        for text in ["", "hunter2", &"00".repeat(32), &"f".repeat(5_000)] {
            std::fs::write(&path, text).unwrap();
            let stop = read(&path).unwrap_err().to_string();
            assert!(!stop.contains('\n') && !stop.contains("hunter2"), "{stop}");
        }
    }

    #[test]
    fn a_key_is_never_written_into_the_configuration() {
        for (written, why) in [
            ("hunter2", "never the key itself"),
            ("env:SIGNALBOX_NOT_SET_ANYWHERE", "not set"),
            ("file:/no/such/file", "no such file"),
        ] {
            let stop = named(written, "secrets.key").unwrap_err().to_string();
            assert!(stop.contains(why) && stop.contains("secrets.key"), "{stop}");
            assert!(!stop.contains("hunter2"), "{stop}");
        }
    }
}
