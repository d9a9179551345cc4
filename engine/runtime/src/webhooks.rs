//! Those who send webhooks: a folder with a file for each, and their secrets.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use sluice_codec::webhook::{SecretSource, Secrets, Webhook, WebhookFile};

use crate::{RuntimeError, limits::WEBHOOK_FILE_BYTES_MAX};

/// The longest name of one who sends, in characters: it is a part of paths and a label of metrics.
const NAME_CHARS_MAX: usize = 64;

/// One who sends webhooks.
pub(crate) struct Sender {
    pub webhook: Webhook,
    pub secrets: Secrets,
}

/// Those who send webhooks, by name.
#[derive(Default)]
pub struct Webhooks(BTreeMap<String, Sender>);

impl Webhooks {
    /// Read a folder: `NAME.toml` says how what comes to `/v1/webhooks/NAME` is verified and read. `env`: the value of a
    /// variable of the environment. A sender without a secret is an error: nobody is believed unsigned.
    pub fn read(folder: &Path, env: impl Fn(&str) -> Option<String>) -> Result<Self, RuntimeError> {
        let mut senders = BTreeMap::new();
        for path in files(folder).map_err(|error| failed(folder, error.to_string()))? {
            let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
            let sender = if is_name(name) {
                sender(folder, &path, &env)
            } else {
                Err("a name has small letters, digits, - and _".into())
            };
            let sender = sender.map_err(|reason| failed(&path, reason))?;
            senders.insert(name.to_owned(), sender);
        }
        Ok(Self(senders))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Sender> {
        self.0.get(name)
    }
}

fn failed(at: &Path, reason: String) -> RuntimeError {
    RuntimeError::Folder { folder: at.to_owned(), reason }
}

fn is_name(name: &str) -> bool {
    let known = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    (1..=NAME_CHARS_MAX).contains(&name.len()) && name.chars().all(known)
}

/// The files of a folder that say something.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            found.push(path);
        }
    }
    Ok(found)
}

fn sender(folder: &Path, path: &Path, env: &impl Fn(&str) -> Option<String>) -> Result<Sender, String> {
    let about = fs::metadata(path).map_err(|error| error.to_string())?;
    if about.len() > WEBHOOK_FILE_BYTES_MAX {
        return Err(format!("larger than {WEBHOOK_FILE_BYTES_MAX} bytes"));
    }
    let text = fs::read_to_string(path).map_err(|error| error.to_string())?;
    let WebhookFile { webhook, secrets } = WebhookFile::parse(&text).map_err(|error| error.to_string())?;
    let secrets = secrets.iter().map(|source| secret(folder, source, env).map(Into::into));
    let secrets: Vec<_> = secrets.collect::<Result<_, String>>()?;
    let secrets = Secrets::new(secrets).map_err(|error| error.to_string())?;
    Ok(Sender { webhook, secrets })
}

/// A secret, from where it is.
fn secret(
    folder: &Path,
    source: &SecretSource,
    env: &impl Fn(&str) -> Option<String>,
) -> Result<String, String> {
    match source {
        SecretSource::Env(name) => {
            env(name).ok_or_else(|| format!("its secret, {name} in the environment, is not set"))
        }
        SecretSource::File(file) => {
            let text = fs::read_to_string(folder.join(file));
            let text =
                text.map_err(|error| format!("its secret, in the file {file}, cannot be read: {error}"))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(files: &[(&str, &str)], env: &[(&str, &str)]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        files.iter().for_each(|(name, text)| fs::write(folder.path().join(name), text).unwrap());
        let env =
            |wanted: &str| env.iter().find(|(name, _)| *name == wanted).map(|(_, value)| (*value).to_owned());
        let read = Webhooks::read(folder.path(), env).map_err(|error| error.to_string())?;
        Ok(read.0.into_keys().collect())
    }

    #[test]
    fn a_sender_without_a_secret_is_none() {
        let named = |source: &str| format!("format = \"ecommpay\"\nsecrets = [{source}]");
        let [env, file, none] = ["{ env = \"PSP\" }", "{ file = \"psp.secret\" }", ""].map(named);
        let [env, file, none] = [env.as_str(), file.as_str(), none.as_str()];
        assert_eq!(read(&[("psp.toml", env)], &[("PSP", "s")]), Ok(vec!["psp".into()]));
        assert_eq!(read(&[("psp.toml", file), ("psp.secret", "s\n")], &[]), Ok(vec!["psp".into()]));
        for (files, variables, reason) in [
            (vec![("psp.toml", env)], vec![], "PSP in the environment, is not set"),
            (vec![("psp.toml", env)], vec![("PSP", " ")], "no secret, or one of them is blank"),
            (vec![("psp.toml", file)], vec![], "psp.secret, cannot be read"),
            (vec![("psp.toml", file), ("psp.secret", "\n")], vec![], "no secret, or one of them is blank"),
            (vec![("psp.toml", none)], vec![], "names no secret"),
            (vec![("psp.toml", "format = \"ecommpay\"")], vec![], "names no secret"),
            (vec![("P S P.toml", env)], vec![("PSP", "s")], "a name has small letters"),
        ] {
            let refused = read(&files, &variables).unwrap_err();
            assert!(refused.contains(reason), "{refused}");
        }
    }
}
