//! Those who send webhooks: a folder with a file for each, and their secrets.

use std::{collections::BTreeMap, fs, path::Path};

use sluice_codec::webhook::{SecretSource, Secrets, Webhook, WebhookFile};

use crate::{
    RuntimeError,
    named_files::{self, failed},
};

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
        let senders = named_files::read(folder)?.into_iter().map(|file| {
            let sender = sender(folder, &file.text, &env).map_err(|reason| failed(&file.path, reason))?;
            Ok((file.name, sender))
        });
        senders.collect::<Result<_, _>>().map(Self)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Sender> {
        self.0.get(name)
    }
}

fn sender(folder: &Path, text: &str, env: &impl Fn(&str) -> Option<String>) -> Result<Sender, String> {
    let WebhookFile { webhook, secrets } = WebhookFile::parse(text).map_err(|error| error.to_string())?;
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
