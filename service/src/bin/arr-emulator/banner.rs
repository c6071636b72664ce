//! The text that the program prints once it has started.

use std::fmt::Write as _;
use std::path::Path;

use arr_service::{Account, Config, Emulator};

use crate::cli::Options;

/// The banner. It shows the development account's key, which is public, and no other.
pub(crate) fn text(emulator: &Emulator, options: &Options, ca_file: Option<&Path>) -> String {
    let config = &options.config;
    let mut text = format!("arr-emulator {} is running\n\n", env!("CARGO_PKG_VERSION"));
    fact(&mut text, "URL", emulator.url());
    fact(&mut text, "Page", "the URL in a browser on this machine: sessions, requests, faults");
    for url in emulator.network_urls().iter().filter(|url| *url != emulator.url()) {
        fact(&mut text, "For devices", url);
    }
    for account in &config.accounts {
        fact(&mut text, "Account id", account.id());
        let key = if is_development(account) {
            format!("{} (development key: public, not a secret)", account.key())
        } else {
            "as configured".to_owned()
        };
        fact(&mut text, "Account key", &key);
    }
    if let Some(path) = ca_file {
        let path = path.display();
        fact(&mut text, "CA file", &format!("{path} (clients must trust it; install it on devices)"));
    }
    if let Some(files) = &config.certificate {
        fact(&mut text, "Certificate", &files.certificates.display().to_string());
    }
    if let Some(path) = &config.state_folder {
        fact(&mut text, "State", &format!("kept in {}", path.display()));
    }
    let startup = humantime::format_duration(config.startup);
    fact(&mut text, "Sessions", &format!("ready {startup} after creation"));
    if config.time_scale > 1 {
        fact(&mut text, "Clock", &format!("runs {} times as fast as the machine's", config.time_scale));
    }
    for warning in warnings(config) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\nWarning: {warning}.\n");
    }
    text.push_str("\nFor the examples, set:\n\n");
    for (name, value) in variables(emulator, ca_file) {
        assignment(&mut text, name, &value);
    }
    text.push_str("\nPress Ctrl+C to stop.\n");
    text
}

fn warnings(config: &Config) -> Vec<&'static str> {
    let beyond_this_machine = !config.listen.ip().is_loopback();
    let mut warnings = Vec::new();
    if !config.tls && beyond_this_machine {
        warnings.push("without --tls, keys and tokens cross the network unencrypted");
    }
    if beyond_this_machine && config.accounts.contains(&Account::development()) {
        warnings.push(
            "the development key is public, so anyone on the network gets access; give your own with --account-file",
        );
    }
    if config.accept_entra_tokens {
        warnings
            .push("with --accept-entra-tokens, anyone who reaches the emulator gets access: no signature is verified");
    }
    if config.control_remote && beyond_this_machine {
        warnings.push("with --control-remote, anyone who reaches the emulator can control it");
    }
    warnings
}

/// The environment variables that the examples read.
fn variables(emulator: &Emulator, ca_file: Option<&Path>) -> Vec<(&'static str, String)> {
    let account = emulator.account();
    let key = if is_development(account) { account.key() } else { "<the account's key>" };
    let mut variables = vec![
        ("ARR_ACCOUNT_ID", account.id().to_owned()),
        ("ARR_ACCOUNT_KEY", key.to_owned()),
        ("ARR_ACCOUNT_DOMAIN", emulator.url().to_owned()),
        ("ARR_SERVICE_ENDPOINT", emulator.url().to_owned()),
    ];
    if let Some(path) = ca_file {
        variables.push(("ARR_CA_FILE", path.display().to_string()));
    }
    variables
}

fn is_development(account: &Account) -> bool {
    *account == Account::development()
}

fn fact(text: &mut String, name: &str, value: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(text, "  {name:<12}  {value}");
}

/// One line for this system's usual shell.
fn assignment(text: &mut String, name: &str, value: &str) {
    let _ = if cfg!(windows) {
        writeln!(text, "  $env:{name} = '{}'", value.replace('\'', "''"))
    } else {
        writeln!(text, "  export {name}='{}'", value.replace('\'', r"'\''"))
    };
}
