//! Serves a site on this machine only.

use std::fs::File;
use std::path::{Component, Path, PathBuf};

use anyhow::{Result, anyhow};
use tiny_http::{Header, Method, Request, Response, Server};

use crate::assemble::PAGE;

/// Serves the site until the program is ended. `ready` is called with the port once the server
/// answers; port 0 takes a free one.
///
/// # Errors
/// If the port is taken.
pub fn serve(site: &Path, port: u16, ready: impl FnOnce(u16)) -> Result<()> {
    let server = Server::http(("127.0.0.1", port)).map_err(|error| {
        anyhow!("port {port} cannot be used ({error}); `./run web --port NUMBER` takes another one")
    })?;
    ready(server.server_addr().to_ip().map_or(port, |address| address.port()));
    for request in server.incoming_requests() {
        // A browser that goes away in the middle of an answer is no error.
        drop(answer(site, request));
    }
    Ok(())
}

fn answer(site: &Path, request: Request) -> std::io::Result<()> {
    if !matches!(request.method(), Method::Get | Method::Head) {
        return request.respond(Response::empty(405));
    }
    let Some(path) = file_of(site, request.url()) else {
        return request.respond(Response::empty(404));
    };
    let Ok(file) = File::open(&path) else { return request.respond(Response::empty(404)) };
    // A name with a hash always means the same content.
    let keep = if has_hash(&path) { "max-age=31536000, immutable" } else { "no-cache" };
    let mut response = Response::from_file(file);
    for (name, value) in [
        ("Content-Type", media_type(&path)),
        ("Cache-Control", keep),
        ("X-Content-Type-Options", "nosniff"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    request.respond(response)
}

/// The file that an address means; none if there is none in the site.
fn file_of(site: &Path, url: &str) -> Option<PathBuf> {
    let path = url.split(['?', '#']).next().unwrap_or_default().trim_start_matches('/');
    let path = Path::new(if path.is_empty() { PAGE } else { path });
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

    /// A server of a folder with a page, a program, a hidden file, and a file beside the folder.
    fn serve_trial() -> (Folder, u16) {
        let folder = Folder::new();
        let site = folder.path().join("site");
        std::fs::create_dir(&site).expect("made");
        for (name, text) in [
            (PAGE, "the page"),
            ("a-0123456789abcdef_bg.wasm", "code"),
            ("plain.js", "script"),
            (".hidden", "hidden"),
            ("../secret", "x"),
        ] {
            std::fs::write(site.join(name), text).expect("written");
        }
        let (send, port) = mpsc::channel();
        std::thread::spawn(move || serve(&site, 0, move |port| send.send(port).expect("received")));
        (folder, port.recv().expect("it serves"))
    }

    fn get(port: u16, request: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
        let request = format!("{request} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("sent");
        let mut text = String::new();
        stream.read_to_string(&mut text).expect("received");
        text
    }

    #[test]
    fn files_have_their_types_and_only_names_with_a_hash_are_kept() {
        let (_folder, port) = serve_trial();
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
        let (_folder, port) = serve_trial();
        for address in ["/../secret", "/%2e%2e/secret", "//etc/passwd", "/.hidden", "/absent"] {
            let answer = get(port, &format!("GET {address}"));
            let refused = answer.starts_with("HTTP/1.1 404") || answer.starts_with("HTTP/1.1 400");
            assert!(refused, "{address}: {answer}");
        }
        assert!(get(port, "POST /").starts_with("HTTP/1.1 405"));
    }

    #[test]
    fn a_port_in_use_is_named() {
        let (_folder, port) = serve_trial();
        let error = serve(Path::new("."), port, |_| ()).expect_err("taken").to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--port"), "{error}");
    }
}
