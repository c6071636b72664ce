//! One source's values.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use arr_client::Secret;

use super::files;
use super::setting::Setting;
use crate::args::Account;
use crate::failure::Failure;

/// A value and where it was found.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) value: Secret,
    pub(crate) from: String,
}

/// The values of one source.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layer {
    /// What to call the source.
    pub(crate) name: String,
    pub(super) values: Vec<(Setting, Found)>,
    /// What the user should know about the source.
    pub(crate) notes: Vec<String>,
}

impl Layer {
    /// The name of the environment as a source.
    pub(crate) const ENVIRONMENT: &str = "the environment";

    pub(crate) fn named(name: impl Into<String>) -> Layer {
        Layer { name: name.into(), ..Layer::default() }
    }

    /// Adds a value, unless it is empty. A placeholder that was left in counts as missing, with a note.
    pub(crate) fn add(&mut self, setting: Setting, value: &str, from: String) {
        let value = value.trim();
        if value.contains('<') && value.contains('>') {
            self.notes.push(format!("{from} is still a placeholder; it is ignored"));
        } else if !value.is_empty() {
            self.values.push((setting, Found { value: value.into(), from }));
        }
    }

    /// Adds a key or token from a file, or from standard input for `-`.
    pub(crate) fn add_secret(&mut self, setting: Setting, path: &Path, from: String) -> Result<(), Failure> {
        /// More than any token has.
        const LONGEST: u64 = 64 * 1024;
        let standard_input = path == Path::new("-");
        let shown = if standard_input { "standard input".to_owned() } else { path.display().to_string() };
        let bytes = if standard_input {
            files::read_up_to(LONGEST, io::stdin().lock())
        } else {
            self.notes.extend(warning_if_exposed(path));
            fs::File::open(path).and_then(|file| files::read_up_to(LONGEST, file))
        };
        let bytes =
            bytes.map_err(|cause| Failure::usage(format!("cannot read the key or token from {shown}: {cause}")))?;
        let text = Secret::new(String::from_utf8_lossy(&bytes).trim_start_matches('\u{feff}').trim());
        if text.expose().is_empty() {
            return Err(Failure::usage(format!("{shown} has no key or token; it is empty")));
        }
        self.add(setting, text.expose(), from);
        Ok(())
    }

    pub(crate) fn get(&self, setting: Setting) -> Option<&Found> {
        self.values.iter().find(|(it, _)| *it == setting).map(|(_, found)| found)
    }

    pub(crate) fn has(&self, setting: Setting) -> bool {
        self.get(setting).is_some()
    }

    pub(crate) fn credential(&self) -> Option<(Setting, &Found)> {
        Setting::CREDENTIALS.into_iter().find_map(|setting| Some((setting, self.get(setting)?)))
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = (Setting, &Found)> {
        self.values.iter().map(|(setting, found)| (*setting, found))
    }

    /// The options. Keys and tokens come from a file or standard input.
    pub(crate) fn of_options(options: &Account) -> Result<Layer, Failure> {
        let mut layer = Layer::named("options");
        for (option, value) in &options.given {
            for setting in Setting::ALL {
                if *option == setting.option() {
                    layer.add(setting, value, option.clone());
                } else if setting.is_credential() && option.strip_suffix("-file") == Some(&setting.option()) {
                    layer.add_secret(setting, Path::new(value), format!("{option} {value}"))?;
                }
            }
        }
        Ok(layer)
    }

    /// The variables, ours before those of the Azure SDK.
    pub(crate) fn of_environment() -> Result<Layer, Failure> {
        let mut layer = Layer::named(Layer::ENVIRONMENT);
        for setting in Setting::ALL {
            let names = [Some(setting.variable()), setting.azure_variable()];
            for name in names.into_iter().flatten() {
                if let Ok(value) = env::var(&name) {
                    layer.add(setting, &value, name);
                }
            }
            let file = format!("{}_FILE", setting.variable());
            if let Some(path) = env::var_os(&file).filter(|_| setting.is_credential()) {
                let path = PathBuf::from(path);
                layer.add_secret(setting, &path, format!("{file} ({})", path.display()))?;
            }
        }
        Ok(layer)
    }

    pub(crate) fn of_emulator(url: &str) -> Layer {
        let mut layer = Layer::named("--emulator");
        let values = [
            (Setting::AccountId, "d0ca11ed-0000-4000-8000-a0ca7a57e0de"),
            // Public, and protects nothing.
            (Setting::AccountKey, "YXJyLWVtdWxhdG9yLWRldmVsb3BtZW50LWFjY291bnQ="),
            (Setting::AccountDomain, url),
            (Setting::ServiceEndpoint, url),
        ];
        values.into_iter().for_each(|(setting, value)| layer.add(setting, value, "--emulator".to_owned()));
        layer
    }
}

/// What to say about a file with a secret that other users of the machine can read.
#[cfg(unix)]
pub(crate) fn warning_if_exposed(path: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let file = fs::metadata(path).ok()?;
    let exposed = file.is_file() && file.mode() & 0o044 != 0;
    exposed
        .then(|| format!("other users can read {0}, which has a secret; to prevent it: chmod 600 {0}", path.display()))
}

#[cfg(not(unix))]
pub(crate) fn warning_if_exposed(_: &Path) -> Option<String> {
    None
}
