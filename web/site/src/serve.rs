//! Serves a site on this machine only.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, anyhow};
use tiny_http::{Method, Request, Server};

use crate::assemble::PAGE;
use crate::roms;

/// Serves the site until the program is ended, and the ROMs in the folder `roms` if there is one.
/// `ready` is called with the port once the server answers; port 0 takes a free one.
///
/// # Errors
/// If the port is taken.
pub fn serve(site: &Path, roms: Option<&Path>, port: u16, ready: impl FnOnce(u16)) -> Result<()> {
    let server = Server::http(("127.0.0.1", port)).map_err(|error| {
        anyhow!("port {port} cannot be used ({error}); `./run web --port NUMBER` takes another one")
    })?;
    ready(server.server_addr().to_ip().map_or(port, |address| address.port()));
    for request in server.incoming_requests() {
        let (site, roms) = (site.to_owned(), roms.map(Path::to_owned));
        // In a thread of its own, so that a browser that reads slowly holds up nothing else. One that
        // goes away in the middle of an answer is no error.
        std::thread::spawn(move || drop(answer(&site, roms.as_deref(), request)));
    }
    Ok(())
}

fn answer(site: &Path, roms: Option<&Path>, request: Request) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return refuse(request, "405 Method Not Allowed");
    }
    let roms = roms.filter(|_| {
        let host = request.headers().iter().find(|header| header.field.equiv("Host"));
        host.is_some_and(|host| roms::is_local(host.value.as_str()))
    });
    let address = address_of(request.url());
    let from_roms = roms.and_then(|folder| roms::answer(folder, address));
    let path = match from_roms {
        Some(roms::Answer::List(list)) => {
            let size = list.len() as u64;
            return respond(request, Path::new("index.json"), size, list.as_bytes());
        }
        Some(roms::Answer::File(path)) => path,
        None => match file_of(site, address) {
            Some(path) => path,
            None => return refuse(request, "404 Not Found"),
        },
    };
    if roms.is_some() && address == PAGE {
        let page = roms::announce(&std::fs::read_to_string(&path)?);
        return respond(request, &path, page.len() as u64, page.as_bytes());
    }
    let Ok(file) = File::open(&path) else { return refuse(request, "404 Not Found") };
    let size = file.metadata()?.len();
    respond(request, &path, size, file)
}

/// Answers with a file, or with what stands for it.
fn respond(request: Request, path: &Path, size: u64, body: impl Read) -> std::io::Result<()> {
    // A name with a hash always means the same content.
    let keep = if has_hash(path) { "max-age=31536000, immutable" } else { "no-cache" };
    let fields = format!(
        "Content-Type: {}\r\nCache-Control: {keep}\r\nX-Content-Type-Options: nosniff\r\n",
        media_type(path)
    );
    write(request, "200 OK", &fields, size, body)
}

fn refuse(request: Request, status: &str) -> std::io::Result<()> {
    write(request, status, "", 0, std::io::empty())
}

/// Writes an answer that ends the connection. `tiny_http` keeps connections open, and when several
/// come at once on a busy machine it lets some wait until others end: a page would never finish
/// loading.
fn write(
    request: Request,
    status: &str,
    fields: &str,
    size: u64,
    body: impl Read,
) -> std::io::Result<()> {
    let has_body = *request.method() != Method::Head;
    let mut out = request.into_writer();
    write!(
        out,
        "HTTP/1.1 {status}\r\n{fields}Content-Length: {size}\r\nConnection: close\r\n\r\n"
    )?;
    if has_body {
        std::io::copy(&mut body.take(size), &mut out)?;
    }
    out.flush()
}

/// The path of an address, without the slash at its beginning.
fn address_of(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    if path.is_empty() { PAGE } else { path }
}

/// The file that an address means; none if there is none in the site.
fn file_of(site: &Path, address: &str) -> Option<PathBuf> {
    let path = Path::new(address);
    // Nothing outside the site, and no hidden files; no file of the site needs an escaped address.
    let inside = path.components().all(
        |part| matches!(part, Component::Normal(name) if !name.to_string_lossy().starts_with('.')),
    );
    let file = site.join(path);
    (inside && file.is_file()).then_some(file)
}

/// Whether the name ends with a hash, as in `base-0123456789abcdef.css`.
fn has_hash(path: &Path) -> bool {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let hash = stem.trim_end_matches("_bg").rsplit_once('-').map_or("", |(_, hash)| hash);
    hash.len() == 16 && hash.bytes().all(|letter| letter.is_ascii_hexdigit())
}

/// Browsers refuse programs and style sheets with another type.
fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("css") => "text/css; charset=utf-8",
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("txt") => "text/plain; charset=utf-8",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::trial::Folder;

    /// A server of a folder with a page, a program, a hidden file, and a file beside the folder; and
    /// of a folder with a ROM.
    fn serve_trial(with_roms: bool) -> (Folder, u16) {
        let folder = Folder::new();
        let (site, roms) = (folder.path().join("site"), folder.path().join("my-roms"));
        for made in [&site, &roms] {
            std::fs::create_dir(made).expect("made");
        }
        for (name, text) in [
            (PAGE, "<head></head>the page"),
            ("../my-roms/pong.bin", "a game"),
            ("a-0123456789abcdef_bg.wasm", "code"),
            ("plain.js", "script"),
            (".hidden", "hidden"),
            ("../secret", "x"),
        ] {
            std::fs::write(site.join(name), text).expect("written");
        }
        let roms = with_roms.then_some(roms);
        let (send, port) = mpsc::channel();
        std::thread::spawn(move || {
            serve(&site, roms.as_deref(), 0, move |port| send.send(port).expect("received"))
        });
        (folder, port.recv().expect("it serves"))
    }

    fn get(port: u16, request: &str) -> String {
        get_as("localhost", port, request)
    }

    fn get_as(host: &str, port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
        let request = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("received");
        text
    }

    #[test]
    fn files_have_their_types_and_only_names_with_a_hash_are_kept() {
        let (_folder, port) = serve_trial(false);
        for address in ["/", "/index.html", "/?x=1"] {
            let page = get(port, &format!("GET {address}"));
            assert!(page.starts_with("HTTP/1.1 200") && page.ends_with("the page"), "{page}");
            assert!(
                page.contains("Content-Type: text/html") && page.contains("no-cache"),
                "{page}"
            );
        }
        let code = get(port, "GET /a-0123456789abcdef_bg.wasm");
        assert!(
            code.contains("Content-Type: application/wasm") && code.contains("immutable"),
            "{code}"
        );
        let script = get(port, "GET /plain.js");
        assert!(script.contains("text/javascript") && script.contains("no-cache"), "{script}");
        let head = get(port, "HEAD /a-0123456789abcdef_bg.wasm");
        assert!(head.starts_with("HTTP/1.1 200") && !head.ends_with("code"), "{head}");
    }

    #[test]
    fn nothing_but_the_site_is_served_and_nothing_can_be_sent() {
        let (_folder, port) = serve_trial(false);
        for address in ["/../secret", "/%2e%2e/secret", "//etc/passwd", "/.hidden", "/absent"] {
            let answer = get(port, &format!("GET {address}"));
            let refused = answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400");
            assert!(refused, "{address}: {answer}");
        }
        assert!(get(port, "POST /").starts_with("HTTP/1.1 405"));
    }

    #[test]
    fn roms_are_offered_only_if_asked_for_and_only_to_this_machine() {
        let (_folder, port) = serve_trial(true);
        let list = get(port, "GET /roms/index.json");
        assert!(list.contains("application/json") && list.ends_with("[\"pong\"]"), "{list}");
        assert!(get(port, "GET /roms/pong.bin").ends_with("a game"));
        assert!(get(port, "GET /").contains("name=\"deepspi-roms\""));
        assert!(get(port, "GET /plain.js").ends_with("script"));
        for address in ["/roms/alien.bin", "/roms/../secret", "/my-roms/pong.bin"] {
            let answer = get(port, &format!("GET {address}"));
            assert!(answer.starts_with("HTTP/1.1 404"), "{address}: {answer}");
        }
        let foreign = |address| get_as("evil.example", port, &format!("GET {address}"));
        for address in ["/roms/index.json", "/roms/pong.bin"] {
            assert!(foreign(address).starts_with("HTTP/1.1 404"), "{address}");
        }
        assert!(!foreign("/").contains("deepspi-roms"));

        let (_folder, port) = serve_trial(false);
        assert!(get(port, "GET /roms/index.json").starts_with("HTTP/1.1 404"));
        assert!(!get(port, "GET /").contains("deepspi-roms"));
    }

    #[test]
    fn connections_that_come_at_once_are_all_answered() {
        let (_folder, port) = serve_trial(false);
        // As a browser: it opens all before it reads any, and keeps those that the server keeps.
        for _ in 0..5 {
            let mut open: Vec<TcpStream> = (0..12)
                .map(|_| TcpStream::connect(("127.0.0.1", port)).expect("connected"))
                .collect();
            for stream in &mut open {
                stream.write_all(b"GET /plain.js HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
            }
            let mut kept = Vec::new();
            for mut stream in open {
                stream.set_read_timeout(Some(Duration::from_secs(10))).expect("set");
                let (mut text, mut part) = (String::new(), [0; 512]);
                while !text.ends_with("script") {
                    let size = stream.read(&mut part).expect("an answer in time");
                    assert_ne!(size, 0, "the connection ended within an answer: {text}");
                    text += &String::from_utf8_lossy(&part[..size]);
                }
                if !text.contains("Connection: close") {
                    kept.push(stream);
                }
            }
        }
    }

    #[test]
    fn a_port_in_use_is_named() {
        let (_folder, port) = serve_trial(false);
        let error = serve(Path::new("."), None, port, |_| ()).expect_err("taken").to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
    }
}
