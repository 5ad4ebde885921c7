#include "../../model.h"
