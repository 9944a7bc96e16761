// Words of the API from which a form lets choose.

export const KINDS = ["advice", "forensics", "malware-analysis", "threat-hunting", "containment", "recovery", "equipment", "ddos-mitigation", "communication", "interpretation"];
export const MODES = ["remote", "on-site", "either"];
export const LEVELS = ["basic", "experienced", "expert"];
/** Labels under which something can be said to partners. */
export const LABELS = ["clear", "green", "amber", "amber+strict"];
/** What travels on a disk. */
export const EVIDENCE = ["disk-image", "memory-image", "logs", "network-capture", "malware-sample", "findings", "document", "other"];
/** Classes of events that wake somebody. */
export const CLASSES = ["call-for-help", "answer", "partner-held", "recovery"];
/** Ways by which helpers come to an entity's systems: `ssh` alone is enforced. */
export const ACCESS = ["ssh", "telephone-advice", "evidence-drop", "edr-tenant", "vpn-rdp", "escort"];
/** What helpers may do there. */
export const ACTIONS = ["advise", "read", "collect", "contain", "rebuild"];
/** What a partner is to us, and how one without a node is reached. */
export const CLASSES_OF_PARTNERS = ["eu-state", "eu-body", "eea", "associated", "third-country", "provider"];
export const WAYS = ["mail+pgp", "mail+smime", "phone"];
