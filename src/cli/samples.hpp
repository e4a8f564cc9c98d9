#pragma once

#include <string>

#include "liven/data/dataset.hpp"
#include "liven/data/split.hpp"
#include "liven/train/model_file.hpp"

/// What a command line names, as samples that a model can see.
namespace liven::cli {

/// The samples of a split ("all": of every one); splits that the data does not state are drawn as the model's training
/// drew them. Of a recording `per_video` clips or frames; 0: as many as the training took, one when its model file does
/// not say. Throws Error when there are none.
data::Dataset samples_of_split(const std::string& path, const std::string& split, const ModelFileInfo& info,
                               int64_t per_video = 0);

/// The same without a model, one frame a recording.
data::Dataset pictures_of_split(const std::string& path, const std::string& split, const data::SplitOptions& options);

/// Of a video or a folder of frames `clips` clips for a model that sees clips, that many frames for one that sees
/// pictures; a picture by itself.
data::Dataset samples_of_file(const std::string& path, int64_t clips, const ModelFileInfo& info);

}  // namespace liven::cli
