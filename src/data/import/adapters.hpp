#pragma once

#include "liven/data/import.hpp"

/// One a file of this folder.
namespace liven::data {

extern const Importer kAuthorsLayout, kCasiaFasd, kCasiaSurf, kCelebaSpoof, kClassFolders, kCsmad, kHifiMask,
    kMaskAttack, kMsSpoof, kMsuMfsd, kNuaa, kOuluNpu, kReplayAttack, kSiwM, kWmca;

}  // namespace liven::data
