declare module "virtual:languages" {
  const languages: string[];
  export default languages;
}
