//! The seats of a demonstration: one page that lets whoever plays it sit down at a nation's node without a password.
//!
//! No node serves it: it is a listener of its own, which the demonstration alone opens, on the machine itself.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::{DOCTYPE, Markup, html};
use model::Origin;
use node::ports::Boxed;

use super::api::headers::{harden, never_stored};
use super::pages::{LINKS, assets};
use super::session::line;

/// One seat, as the page shows it.
#[derive(Debug, Clone)]
pub struct Seat {
    /// The nation: `FR`.
    pub country: String,
    /// What one does there.
    pub says: String,
    /// Where its node is reached: `http://127.0.0.1:1234`.
    pub address: String,
    /// Below which path: empty, or an exercise's.
    pub path: String,
}

/// Whoever sits down gets a session there.
#[derive(Debug, Clone)]
pub struct Seated {
    /// At which node.
    pub origin: Origin,
    /// The session's token.
    pub token: [u8; 32],
}

/// The demonstration's hand: it knows everybody's password.
pub trait Ushers: Send + Sync {
    /// The seats, in the order of the page.
    fn seats(&self) -> &[Seat];
    /// Begins a session at a seat; in words, why not.
    fn seat(&self, number: usize) -> Boxed<'_, Result<Seated, String>>;
}

/// The page and its seats.
pub fn router(ushers: Arc<dyn Ushers>) -> Router {
    let all = Router::new()
        .route("/", get(page))
        .route("/seats/{number}", get(sit))
        .merge(assets::files())
        .with_state(ushers);
    harden(never_stored(all))
}

async fn page(State(ushers): State<Arc<dyn Ushers>>) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "Seats · Entraide demonstration" }
                link rel="icon" type="image/svg+xml" href=(LINKS.icon);
                link rel="stylesheet" href=(LINKS.style);
            }
            body class="out" {
                main id="main" class="seats" {
                    h1 { "Demonstration: choose a seat" }
                    p class="quiet" {
                        "Each seat is another nation’s own node. Take one, and come back here to change seats."
                    }
                    ul {
                        @for (number, seat) in ushers.seats().iter().enumerate() {
                            li class="card" {
                                a href={ "/seats/" (number) } {
                                    span class="chip" { (seat.country) } " "
                                    strong { (seat.says) }
                                }
                                @if !seat.path.is_empty() { p class="quiet" { "Exercise: nothing there is real." } }
                            }
                        }
                    }
                }
            }
        }
    }
}

async fn sit(State(ushers): State<Arc<dyn Ushers>>, Path(number): Path<usize>) -> Response {
    let Some(seat) = ushers.seats().get(number).cloned() else { return StatusCode::NOT_FOUND.into_response() };
    match ushers.seat(number).await {
        Ok(Seated { origin, token }) => {
            // Cookies know no ports (RFC 6265 §8.5): what is set here is sent to the node on the same machine.
            let cookie = line(&origin, &token, node::limits::SESSION_SECONDS, &format!("{}/", seat.path), true);
            let to = format!("{}{}/console/", seat.address, seat.path);
            (StatusCode::FOUND, [(header::SET_COOKIE, cookie), (header::LOCATION, to)]).into_response()
        }
        Err(why) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::extract::Request;
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    use super::*;

    struct Two(Vec<Seat>);

    impl Ushers for Two {
        fn seats(&self) -> &[Seat] {
            &self.0
        }
        fn seat(&self, number: usize) -> Boxed<'_, Result<Seated, String>> {
            let origin = format!("entraide/FR/EX-DEMO/{}", "ab".repeat(8)).parse();
            Box::pin(async move {
                if number == 1 {
                    return Err("somebody has just logged in here".to_owned());
                }
                Ok(Seated { origin: origin.map_err(|_| "no origin".to_owned())?, token: [7; 32] })
            })
        }
    }

    async fn asked(path: &str) -> (StatusCode, axum::http::HeaderMap, String) {
        let seat = |country: &str, path: &str| Seat {
            country: country.to_owned(),
            says: format!("<b>{country}</b>"),
            address: "http://127.0.0.1:4".to_owned(),
            path: path.to_owned(),
        };
        let router = router(Arc::new(Two(vec![seat("FR", "/ex/EX-DEMO"), seat("EE", "")])));
        let request = Request::builder().uri(path).body(Body::empty()).unwrap();
        let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
        let text = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        (parts.status, parts.headers, text)
    }

    #[tokio::test]
    async fn a_seat_gives_its_own_session_and_leads_to_its_own_console() {
        let (status, headers, text) = asked("/").await;
        assert_eq!(status, StatusCode::OK);
        assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY));
        assert!(text.contains("href=\"/seats/1\"") && text.contains("&lt;b&gt;FR&lt;/b&gt;"), "{text}");
        let (status, headers, _) = asked("/seats/0").await;
        assert_eq!(
            (status, headers[header::LOCATION].to_str().unwrap()),
            (StatusCode::FOUND, "http://127.0.0.1:4/ex/EX-DEMO/console/")
        );
        let cookie = headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.contains("Path=/ex/EX-DEMO/;") && cookie.contains("HttpOnly; SameSite=Strict"), "{cookie}");
        let (status, headers, text) = asked("/seats/1").await;
        assert_eq!((status, text.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "somebody has just logged in here"));
        assert!(!headers.contains_key(header::SET_COOKIE));
        assert_eq!(asked("/seats/2").await.0, StatusCode::NOT_FOUND);
    }
}
