//! What the pages load: one style sheet, two small scripts, one icon. All are part of the program.

use std::sync::LazyLock;

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use model::bytes::hex;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("../../../assets/style.css");
const LIVE: &str = include_str!("../../../assets/live.js");
const PASSKEY: &str = include_str!("../../../assets/passkey.js");
const ICON: &str = include_str!("../../../assets/icon.svg");

/// What the pages link to. The address changes with the content, so a browser may keep it for good.
pub struct Links {
    /// The style sheet.
    pub style: String,
    /// The script that keeps pages fresh.
    pub live: String,
    /// The script that asks for passkeys.
    pub passkey: String,
    /// The icon.
    pub icon: String,
}

/// See [`Links`].
pub static LINKS: LazyLock<Links> = LazyLock::new(|| Links {
    style: versioned("/assets/style.css", STYLE),
    live: versioned("/assets/live.js", LIVE),
    passkey: versioned("/assets/passkey.js", PASSKEY),
    icon: versioned("/assets/icon.svg", ICON),
});

fn versioned(path: &str, content: &str) -> String {
    let digest = hex(&Sha256::digest(content.as_bytes()));
    format!("{path}?v={}", &digest[..12])
}

/// The four files; they hold nothing of the node, so nobody has to be logged in for them.
pub fn files<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/assets/style.css", get(|| async { file("text/css; charset=utf-8", STYLE) }))
        .route("/assets/live.js", get(|| async { file("text/javascript; charset=utf-8", LIVE) }))
        .route("/assets/passkey.js", get(|| async { file("text/javascript; charset=utf-8", PASSKEY) }))
        .route("/assets/icon.svg", get(|| async { file("image/svg+xml", ICON) }))
        // Browsers ask for it on pages that they make themselves, such as a picture alone.
        .route("/favicon.ico", get(|| async { file("image/svg+xml", ICON) }))
}

fn file(media: &'static str, content: &'static str) -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, media), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    (headers, content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_loaded_from_elsewhere() {
        for content in [STYLE, LIVE, PASSKEY, ICON] {
            let stripped = content.replace("http://www.w3.org/2000/svg", "");
            assert!(!stripped.contains("://") && !stripped.contains("@import"));
        }
        assert!(LINKS.style.starts_with("/assets/style.css?v="));
    }
}
