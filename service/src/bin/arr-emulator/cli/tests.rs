//! Options, defaults and error messages.

use clap::CommandFactory as _;

use super::*;

fn read_words(words: &[&str]) -> Result<Invocation, String> {
    read(["arr-emulator"].iter().chain(words).map(OsString::from))
}

fn options_of(words: &[&str]) -> Options {
    match read_words(words) {
        Ok(Invocation::Run(options)) => *options,
        Ok(Invocation::Print(text)) => panic!("printed {text}"),
        Err(problem) => panic!("{problem}"),
    }
}

fn problem_of(words: &[&str]) -> String {
    read_words(words).err().expect("a problem")
}

#[test]
fn the_help_explains_every_option() {
    let mut command = Arguments::command();
    let help = command.render_help().to_string();
    for option in command.get_arguments() {
        let name = option.get_long().expect("a long name");
        let text = option.get_help().expect("an explanation").to_string();
        let first_words = text.split_whitespace().take(3).collect::<Vec<_>>().join(" ");
        assert!(help.contains(&format!("--{name}")) && help.contains(&first_words), "{name} in {help}");
    }
}

#[test]
fn the_defaults_need_no_option() {
    let options = options_of(&[]);
    assert_eq!(options.config.listen.to_string(), "127.0.0.1:8722");
    assert_eq!(options.config.startup, Duration::from_secs(3));
    assert_eq!(options.config.accounts, [Account::development()]);
    assert!(!options.config.tls && options.ca_file.is_none() && options.ready_file.is_none());
}

#[test]
fn program_and_library_have_the_same_defaults() {
    // The program's default port is its own.
    let (program, library) = (options_of(&["--listen", "127.0.0.1:0"]).config, Config::default());
    assert_eq!(format!("{program:?}"), format!("{library:?}"));
}

#[test]
fn each_option_reaches_the_configuration() {
    let config = options_of(&[
        "--state",
        "kept",
        "--tls",
        "--tls-name",
        "studio.local",
        "--tls-name",
        "192.0.2.7",
        "--stopping",
        "2s",
        "--max-lease",
        "1d",
        "--remember",
        "1h",
        "--token-lifetime",
        "10m",
        "--min-call-interval",
        "5s",
        "--session-hostname",
        "render.local",
        "--session-ports",
        "50051,50052",
        "--max-sessions",
        "8",
        "--page-size",
        "2",
        "--wire",
        "2021",
        "--conversion",
        "1m",
        "--missing-input",
        "**/gone.fbx",
        "--linked-storage",
        "--time-scale",
        "60",
        "--log",
        "json",
        "--accept-entra-tokens",
        "--control-remote",
    ])
    .config;
    assert_eq!(config.state_folder, Some("kept".into()));
    assert_eq!(config.tls_names, ["studio.local", "192.0.2.7"]);
    assert_eq!((config.stopping, config.remember), (Duration::from_secs(2), Duration::from_secs(3600)));
    assert_eq!(config.max_lease, Duration::from_secs(86_400));
    assert_eq!(config.token_lifetime, Duration::from_secs(600));
    assert_eq!(config.min_call_interval, Duration::from_secs(5));
    assert_eq!(config.session_hostname.as_deref(), Some("render.local"));
    assert_eq!(config.session_ports, Some((50_051, 50_052)));
    assert_eq!(config.max_sessions, Some(8));
    assert_eq!((config.page_size, config.wire), (Some(2), WireFormat::V2021));
    assert_eq!((config.time_scale, config.log_requests), (60, LogRequests::Json));
    assert_eq!((config.conversion, config.missing_inputs), (Duration::from_secs(60), vec!["**/gone.fbx".to_owned()]));
    assert!(config.accept_entra_tokens && config.control_remote && config.linked_storage);
}

#[test]
fn tls_has_a_default_ca_file() {
    assert_eq!(options_of(&["--tls"]).ca_file, Some(DEFAULT_CA_FILE.into()));
    assert_eq!(options_of(&["--tls", "--ca-file", "x.pem"]).ca_file, Some("x.pem".into()));
    assert!(problem_of(&["--ca-file", "x.pem"]).contains("--ca-file needs --tls"));
}

#[test]
fn an_own_certificate_implies_tls_and_needs_its_key() {
    let options = options_of(&["--cert", "c.pem", "--key", "k.pem"]);
    let files = CertificateFiles { certificates: "c.pem".into(), key: "k.pem".into() };
    assert_eq!((options.config.tls, options.config.certificate), (true, Some(files)));
    assert_eq!(options.ca_file, None, "there is none to write");
    assert!(problem_of(&["--cert", "c.pem"]).contains("--key"));
    assert!(problem_of(&["--tls", "--key", "k.pem"]).contains("--cert"));
    assert!(problem_of(&["--cert", "c", "--key", "k", "--ca-file", "x"]).contains("--ca-file and --cert exclude"));
}

#[test]
fn a_tls_name_needs_no_tls() {
    assert_eq!(options_of(&["--tls-name", "studio.local"]).config.tls_names, ["studio.local"]);
    assert_eq!(options_of(&["--min-call-interval", "1m"]).config.min_call_interval, Duration::from_secs(60));
}

#[test]
fn accounts_are_read_from_a_file() {
    let path = std::env::temp_dir().join(format!("arr-accounts-{}", uuid::Uuid::new_v4()));
    let read = |text: &str| {
        std::fs::write(&path, text).expect("written");
        read_words(&["--account-file", path.to_str().expect("a path")])
    };
    let (one, two) = ("11111111-2222-3333-4444-555555555555:a", "11111111-2222-3333-4444-555555555556:b");
    let Ok(Invocation::Run(options)) = read(&format!("\u{feff}# ours\r\n{one}\r\n\n  {two}\n")) else { panic!() };
    assert_eq!(options.config.accounts, [one, two].map(|text| text.parse::<Account>().expect("an account")));
    for (text, named) in [("# none\n", "no account"), ("\nsecret\n", "line 2")] {
        let problem = read(text).err().expect("a problem");
        assert!(problem.contains(named) && problem.contains("arr-accounts-") && !problem.contains("secret"));
    }
    std::fs::remove_file(&path).expect("removed");
    assert!(problem_of(&["--account-file", path.to_str().expect("a path")]).contains("--account-file"));
}

#[test]
fn given_accounts_replace_the_development_account() {
    let (one, two) = ("11111111-1111-1111-1111-111111111111:a", "22222222-2222-2222-2222-222222222222:b");
    let options = options_of(&["--account", one, "--account", two]);
    let ids: Vec<_> = options.config.accounts.iter().map(Account::id).collect();
    assert_eq!(ids, [&one[..36], &two[..36]]);
}

#[test]
fn a_problem_is_one_line_that_points_to_the_help() {
    for words in [
        &["--lisen", "x"][..],
        &["--listen", "localhost"],
        &["--listen"],
        &["--startup", "soon"],
        &["--tls=yes"],
        &["stray"],
        &["--account", "not-a-guid:secret"],
        &["--tls", "--tls-name", "https://studio.local"],
        &["--tls", "--tls-name", "studio.local:8722"],
        &["--tls-name", "studio..local"],
        &["--tls-name", "-studio.local"],
        &["--tls-name", ""],
        &["--min-call-interval", "61s"],
        &["--tls", "--ca-file", "one.pem", "--ready-file", "./one.pem"],
        &["--session-hostname", ""],
        &["--session-ports", "50051"],
        &["--session-ports", "0,1"],
        &["--max-sessions", "few"],
        &["--page-size", "0"],
        &["--page-size", "all"],
        &["--wire", "2020"],
        &["--time-scale", "0"],
        &["--time-scale", "1.5"],
    ] {
        let problem = problem_of(words);
        assert_eq!(problem.lines().count(), 1, "{problem}");
        assert!(problem.ends_with("(see arr-emulator --help)"), "{problem}");
        assert!(!problem.contains("secret"), "{problem}");
    }
    assert!(problem_of(&["--lisen", "x"]).contains("'--listen'"));
}
