//! The measured calls through bare HTTP clients for Rust: `peers reqwest|ureq calls N`, `peers reqwest opens N`.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, mem, thread};

use serde::Deserialize;

/// As many as the library has workers.
const THREADS: usize = 8;
const SESSION: usize = 0;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
struct Properties {
    session_id: String,
    session_status: String,
    session_hostname: Option<String>,
    session_elapsed_time: Option<String>,
    session_max_lease_time: Option<String>,
    session_size: Option<String>,
    message: Option<String>,
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

struct Service {
    token_url: String,
    credential: String,
    sessions: String,
    authority: Vec<u8>,
}

impl Service {
    fn from_environment() -> Self {
        let id = variable("ARR_ACCOUNT_ID");
        Self {
            token_url: format!("{}/accounts/{id}/token", variable("ARR_ACCOUNT_DOMAIN")),
            credential: format!("Bearer {id}:{}", variable("ARR_ACCOUNT_KEY")),
            sessions: format!("{}/v1/accounts/{id}/sessions", variable("ARR_SERVICE_ENDPOINT")),
            authority: fs::read(variable("ARR_CA_FILE")).unwrap(),
        }
    }

    fn properties_url(&self, session: usize) -> String {
        format!("{}/00000000-0000-4000-8000-{session:012}/properties", self.sessions)
    }
}

/// Reads a session's properties.
type Read<'a> = Box<dyn Fn(usize) + Sync + 'a>;

fn by_reqwest(service: &Service) -> Read<'_> {
    let authority = reqwest::Certificate::from_pem(&service.authority).unwrap();
    let client = reqwest::blocking::Client::builder().tls_certs_only([authority]).build().unwrap();
    let get = move |url: &str, credential: &str| {
        let reply = client.get(url).header("Authorization", credential).send().unwrap().error_for_status().unwrap();
        reply.bytes().unwrap()
    };
    let token: Token = serde_json::from_slice(&get(&service.token_url, &service.credential)).unwrap();
    let credential = format!("Bearer {}", token.access_token);
    Box::new(move |session| {
        let _: Properties = serde_json::from_slice(&get(&service.properties_url(session), &credential)).unwrap();
    })
}

fn by_ureq(service: &Service) -> Read<'_> {
    use ureq::tls::{Certificate, RootCerts, TlsConfig};
    let authority = Certificate::from_pem(&service.authority).unwrap();
    let tls = TlsConfig::builder().root_certs(RootCerts::new_with_certs(&[authority])).build();
    let agent: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).build().into();
    let get = move |url: &str, credential: &str| {
        agent.get(url).header("Authorization", credential).call().unwrap().body_mut().read_to_vec().unwrap()
    };
    let token: Token = serde_json::from_slice(&get(&service.token_url, &service.credential)).unwrap();
    let credential = format!("Bearer {}", token.access_token);
    Box::new(move |session| {
        let _: Properties = serde_json::from_slice(&get(&service.properties_url(session), &credential)).unwrap();
    })
}

fn cpu_us() -> f64 {
    // SAFETY: rusage is plain integers, and getrusage fills it.
    let usage = unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let microseconds = |time: libc::timeval| time.tv_sec as f64 * 1e6 + time.tv_usec as f64;
    microseconds(usage.ru_utime) + microseconds(usage.ru_stime)
}

fn main() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [client, work, count] = &arguments[..] else { panic!("peers CLIENT WORK N") };
    let count: usize = count.parse().unwrap();
    let service = Service::from_environment();
    let read = if client == "ureq" { by_ureq(&service) } else { by_reqwest(&service) };
    read(SESSION);
    let before = cpu_us();
    if work == "opens" {
        let next = AtomicUsize::new(0);
        let work_off = || {
            loop {
                let session = next.fetch_add(1, Ordering::Relaxed);
                if session >= count {
                    return;
                }
                read(session + 1);
            }
        };
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(work_off);
            }
        });
        println!("cpu_us {:.3}", cpu_us() - before);
    } else {
        for _ in 0..count {
            read(SESSION);
        }
        println!("cpu_us {:.3}", (cpu_us() - before) / count as f64);
    }
}
