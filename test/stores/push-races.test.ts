import { pushRacesInFolderAndS3 } from "./push-races.ts";

pushRacesInFolderAndS3(2);
