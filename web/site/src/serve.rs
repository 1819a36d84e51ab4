//! Serves a site on this machine only.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

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
        // A browser that goes away in the middle of an answer is no error.
        drop(answer(site, roms, request));
    }
    Ok(())
}

fn answer(site: &Path, roms: Option<&Path>, request: Request) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::empty(405));
    }
    let roms = roms.filter(|_| {
        let host = request.headers().iter().find(|header| header.field.equiv("Host"));
        host.is_some_and(|host| roms::is_local(host.value.as_str()))
    });
    let address = address_of(request.url());
    let from_roms = roms.and_then(|folder| roms::answer(folder, address));
    let path = match from_roms {
        Some(roms::Answer::List(list)) => {
            return respond(request, Response::from_string(list), Path::new("index.json"));
        }
        Some(roms::Answer::File(path)) => path,
        None => match file_of(site, address) {
            Some(path) => path,
            None => return request.respond(Response::empty(404)),
        },
    };
    if roms.is_some() && address == PAGE {
        let page = std::fs::read_to_string(&path)?;
        return respond(request, Response::from_string(roms::announce(&page)), &path);
    }
    let Ok(file) = File::open(&path) else { return request.respond(Response::empty(404)) };
    respond(request, Response::from_file(file), &path)
}

/// Answers with a file, or with what stands for it.
fn respond<R: std::io::Read>(
    request: Request,
    mut response: Response<R>,
    path: &Path,
) -> std::io::Result<()> {
    // A name with a hash always means the same content.
    let keep = if has_hash(path) { "max-age=31536000, immutable" } else { "no-cache" };
    for (name, value) in [
        ("Content-Type", media_type(path)),
        ("Cache-Control", keep),
        ("X-Content-Type-Options", "nosniff"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
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
    use std::io::{Read, Write};
    use std::net::TcpStream;
    use std::sync::mpsc;

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
    fn a_port_in_use_is_named() {
        let (_folder, port) = serve_trial(false);
        let error = serve(Path::new("."), None, port, |_| ()).expect_err("taken").to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
    }
}
