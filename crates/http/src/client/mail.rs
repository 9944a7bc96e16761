//! Mail by the server of the configuration (RFC 5321): to persons of the duty roster, and to partners without a node. What
//! it says comes whole from the node: number, label, log in or call; or what is encrypted already.

use std::time::Duration;

use lettre::message::header::{ContentDisposition, ContentType};
use lettre::message::{Mailbox, MultiPart, SinglePart, header};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use model::alert::Channel;
use node::ports::{Boxed, Mail, MailBody, Notice, Outlet, OutletError, Post, RealOnly};

/// How the connection to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// It begins in the clear and must turn to TLS (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314 §3).
    Tls,
    /// None: to a server on this machine alone.
    None,
}

/// Where mail is handed over.
pub struct MailConfig {
    /// The server's host name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Certificates in PEM that vouch for the server; `None` trusts what the machine trusts.
    pub authorities: Option<Vec<u8>>,
    /// User and password, if the server asks for them.
    pub login: Option<(String, String)>,
    /// From which address.
    pub from: String,
}

/// The way out by mail.
pub struct MailOutlet {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    patience: Duration,
}

impl MailOutlet {
    /// In reality alone: an exercise writes to nobody. `patience` is how long one mail may take, all of it.
    ///
    /// # Errors
    /// What the configuration says can't be, in words.
    pub fn new(_: RealOnly, config: MailConfig, patience: Duration) -> Result<Self, String> {
        let MailConfig { host, port, security, authorities, login, from } = config;
        let from: Address = from.parse().map_err(|error| format!("`from` is no mail address: {error}"))?;
        let local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if security == Security::None && !local {
            return Err("`security = \"none\"` is for a server on this machine: use \"starttls\" or \"tls\"".to_owned());
        }
        let tls = match security {
            Security::None => Tls::None,
            Security::StartTls => Tls::Required(parameters(&host, authorities.as_deref())?),
            Security::Tls => Tls::Wrapper(parameters(&host, authorities.as_deref())?),
        };
        let mut builder =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).tls(tls).timeout(Some(patience));
        if let Some((user, password)) = login {
            builder = builder.credentials(Credentials::new(user, password));
        }
        let from = Mailbox::new(Some("Entraide".to_owned()), from);
        Ok(Self { transport: builder.build(), from, patience })
    }

    async fn hand_over(&self, notice: Notice) -> Result<(), String> {
        let to = notice.contact.mail.as_deref().ok_or("the roster has no mail address")?;
        let to: Address = to.parse().map_err(|_| "the roster's mail address is none")?;
        let mail = message(&self.from, to, &notice).map_err(|error| error.to_string())?;
        self.deliver(mail).await
    }

    async fn post(&self, mail: Mail) -> Result<(), String> {
        let to: Address = mail.to.parse().map_err(|_| "the partner's mail address is none")?;
        let mail = letter(&self.from, to, mail).map_err(|error| error.to_string())?;
        self.deliver(mail).await
    }

    async fn deliver(&self, mail: Message) -> Result<(), String> {
        match tokio::time::timeout(self.patience, self.transport.send(mail)).await {
            Ok(Ok(_)) => Ok(()),
            // A server's words may name the recipient: the log gets the kind of the failure alone.
            Ok(Err(error)) if error.is_permanent() => Err("the mail server refuses it".to_owned()),
            Ok(Err(error)) if error.is_transient() => Err("the mail server can't take it now".to_owned()),
            Ok(Err(error)) if error.is_tls() => {
                Err("TLS with the mail server failed: look at its certificate".to_owned())
            }
            Ok(Err(_)) => Err("the mail server is not reached".to_owned()),
            Err(_) => Err("the mail server is too slow".to_owned()),
        }
    }
}

fn parameters(host: &str, authorities: Option<&[u8]>) -> Result<TlsParameters, String> {
    let told = |error: &dyn std::fmt::Display| format!("`ca` of the mail server can't be used: {error}");
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(pem) = authorities {
        let certificate = Certificate::from_pem(pem).map_err(|error| told(&error))?;
        builder = builder.certificate_store(CertificateStore::None).add_root_certificate(certificate);
    }
    builder.build_rustls().map_err(|error| told(&error))
}

fn message(from: &Mailbox, to: Address, notice: &Notice) -> Result<Message, lettre::error::Error> {
    let drill = if notice.drill { "DRILL: " } else { "" };
    let subject = format!("{drill}Entraide {}: alert {}", notice.country, notice.number);
    let link = notice.link.as_ref().map(|link| format!("I am awake: {link}\n")).unwrap_or_default();
    let body = format!("{}\n{link}Code: {}\n", notice.text, notice.code);
    Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(subject)
        // Answers of machines wake nobody (RFC 3834 §5).
        .header(AutoSubmitted)
        .header(ContentType::TEXT_PLAIN)
        .body(body)
}

/// `Auto-Submitted: auto-generated` (RFC 3834 §5).
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }
    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }
    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

impl Outlet for MailOutlet {
    fn channel(&self) -> Channel {
        Channel::Mail
    }
    fn send(&self, notice: Notice) -> Boxed<'_, Result<(), OutletError>> {
        Box::pin(async move { self.hand_over(notice).await.map_err(|reason| OutletError { reason }) })
    }
}

impl Post for MailOutlet {
    fn send(&self, mail: Mail) -> Boxed<'_, Result<(), OutletError>> {
        Box::pin(async move { self.post(mail).await.map_err(|reason| OutletError { reason }) })
    }
}

/// A mail to a partner without a node: PGP/MIME (RFC 3156 §4), S/MIME (RFC 8551 §3.3), or a notice.
fn letter(from: &Mailbox, to: Address, mail: Mail) -> Result<Message, lettre::error::Error> {
    let name = format!("<{}@{}>", mail.key, from.email.domain());
    let builder = Message::builder()
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(mail.subject)
        .message_id(Some(name))
        .header(AutoSubmitted);
    let kind = |text: &str| ContentType::parse(text).unwrap_or(ContentType::TEXT_PLAIN);
    match mail.body {
        MailBody::Plain(text) => builder.header(ContentType::TEXT_PLAIN).body(text),
        MailBody::Pgp(armoured) => {
            let armoured = String::from_utf8_lossy(&armoured).into_owned();
            let version =
                SinglePart::builder().header(kind("application/pgp-encrypted")).body("Version: 1\r\n".to_owned());
            let sealed =
                SinglePart::builder().header(kind("application/octet-stream; name=\"encrypted.asc\"")).body(armoured);
            let whole = MultiPart::encrypted("application/pgp-encrypted".to_owned());
            builder.multipart(whole.singlepart(version).singlepart(sealed))
        }
        MailBody::Smime(der) => {
            let sealed = kind("application/pkcs7-mime; smime-type=authEnveloped-data; name=\"smime.p7m\"");
            builder.header(sealed).header(ContentDisposition::attachment("smime.p7m")).body(der)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mail_crosses_no_network_in_the_clear() {
        let check = |host: &str, security, good: bool| {
            let real = RealOnly::of(&model::Realm::Real).unwrap();
            let (host, from) = (host.to_owned(), "node@cert.example".to_owned());
            let config = MailConfig { host, port: 25, security, authorities: None, login: None, from };
            assert_eq!(MailOutlet::new(real, config, Duration::ZERO).is_ok(), good);
        };
        check("127.0.0.1", Security::None, true);
        check("smtp.example", Security::None, false);
        check("smtp.example", Security::StartTls, true);
        check("smtp.example", Security::Tls, true);
    }
}
